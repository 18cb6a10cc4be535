// The address half of a translation: which of a rule's addresses a tuple gets.
#pragma once

#include "core/base/ids.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/nat/range.hpp"

namespace nsr::nat {

// May a source look like this under the rule? kernel: nf_in_range
bool source_in_range(const conntrack::Tuple& tuple, const Range& range);

// Puts an address of the range into the tuple: the only one, or one chosen by a hash of the source
// (and the destination, unless persistent), so that a client keeps its address. kernel:
// find_best_ips_proto
void choose_address(conntrack::Tuple& tuple, Manip manip, const Range& range, Zone zone);

}  // namespace nsr::nat
