// What the options that describe a tuple mean together.
#pragma once

#include <optional>

#include "core/conntrack/record/tuple.hpp"
#include "router/tools/conntrack/options.hpp"

namespace nsr::router {

// Checks that masks have an address, and that an entry that is to be made, or to be got, is said
// completely.
Problem complete_tuples(const ConntrackDraft& draft);

// The tuple that -G asks for, the one that an expectation has, or that of its master.
conntrack::Tuple whole_tuple(const ConntrackFilter& filter);

// The two tuples of an entry that -I makes. What is not said of one is what answers the other.
struct TuplePair {
    conntrack::Tuple original;
    conntrack::Tuple reply;
};
// Nothing: an ICMP type that has no answer.
std::optional<TuplePair> tuples_of(const ConntrackFilter& filter);

}  // namespace nsr::router
