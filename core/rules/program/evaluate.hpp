// One instruction against one packet: the inner loop of every rule.
#pragma once

#include "core/rules/match.hpp"
#include "core/rules/program/code.hpp"

namespace nsr::rules {

[[nodiscard]] MatchResult evaluate(Code& code, const Instruction& instruction, Subject& subject);

// The ctstate::k* bits of a packet; those of translation only if tracking knows its connection.
[[nodiscard]] std::uint32_t state_bits(const Subject& subject);

}  // namespace nsr::rules
