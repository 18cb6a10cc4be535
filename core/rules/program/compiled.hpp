// A table as the evaluator walks it: chains are runs of rules, rules are runs of instructions.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/packet/hook.hpp"
#include "core/rules/code.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

struct CompiledRule {
    std::uint32_t first = 0;  // instructions [first, end)
    std::uint32_t end = 0;
    CompiledTarget then;
    RuleCounters counters;
    const Rule* rule = nullptr;
};

struct CompiledChain {
    std::uint32_t first = 0;  // rules [first, end)
    std::uint32_t end = 0;
    Policy policy = Policy::None;
    RuleCounters counters;
    const Chain* chain = nullptr;
};

struct CompiledTable {
    bool loaded = false;
    std::array<std::int32_t, kHookCount> entry{-1, -1, -1, -1, -1};  // chain of a hook
    std::vector<CompiledChain> chains;
    std::vector<CompiledRule> rules;
};

// Precondition: the table was checked, so that every jump has a chain to go to. The result refers
// to the rules and chains of `table`.
CompiledTable compile_table(const Table& table, Code& code);

}  // namespace nsr::rules
