// One instruction against one packet: the inner loop of every rule.
#pragma once

#include "core/rules/code.hpp"
#include "core/rules/match.hpp"

namespace nsr::rules {

[[nodiscard]] MatchResult evaluate(const Code& code, const Instruction& instruction,
                                   ActionParam& par);

// The ctstate::k* bits of a packet; those of translation only if tracking knows its connection.
[[nodiscard]] std::uint32_t state_bits(const ActionParam& par);

}  // namespace nsr::rules
