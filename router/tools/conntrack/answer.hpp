// What conntrack(8) commands answer.
#pragma once

#include <cstddef>
#include <string>

#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

struct ConntrackAnswer {
    std::string text;   // the entries shown, deleted or updated, one a line; -C: the number
    std::string error;  // a sentence for people; empty: it worked
    std::size_t entries = 0;
};

// Entries that -U met and could not change.
struct ConntrackRefusals {
    std::size_t not_permitted = 0;  // their timeout is fixed. kernel: EPERM
    std::size_t busy = 0;           // EXPECTED cannot be set. kernel: EBUSY
};

// What the tool says of it. libc: strerror, with the tool's own words for some
const char* refusal_text(conntrack::Refusal refusal, ConntrackCommand command);

}  // namespace nsr::router
