// One instruction against one packet: the inner loop of every rule.
#pragma once

#include "core/rules/match.hpp"
#include "core/rules/program/compiled.hpp"

namespace nsr::rules {

// A block of rules as one program runs it.
struct RunningBlock {
    const Code* code = nullptr;
    const InterfaceSet* interfaces = nullptr;
    MatchState* const* states = nullptr;  // of each call
};

[[nodiscard]] MatchResult evaluate(const RunningBlock& block, const Instruction& instruction,
                                   ActionParam& par);

// Does the packet end where the next IPv6 extension header should stand? Any -p drops it.
[[nodiscard]] bool chain_is_cut(const Packet& packet);

// The ctstate::k* bits of a packet; those of translation only if tracking knows its connection.
[[nodiscard]] std::uint32_t state_bits(const ActionParam& par);

}  // namespace nsr::rules
