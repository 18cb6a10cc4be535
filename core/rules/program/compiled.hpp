// A ruleset as the evaluator walks it, in parts that programs share: blocks of rules are code,
// chains are blocks that are linked, tables are chains.
//
// Everything here is made once and never changes, so that a program can be built in one thread
// while another one runs what both share. What packets change is memory.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/packet/hook.hpp"
#include "core/rules/code.hpp"
#include "core/rules/program/chain_index.hpp"
#include "core/rules/program/compiled_rule.hpp"
#include "core/rules/program/index.hpp"
#include "core/rules/program/rule_places.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

struct CompiledBlock {
    std::shared_ptr<const RuleBlock> source;
    Code code;
    std::vector<CompiledRule> rules;  // of the rows of `source`
    std::vector<std::string> jumps;   // chains; operands of Jump and Goto count them
    BlockIndex index;
    RuleId least_id = RuleId::None;  // of the rows
    RuleId most_id = RuleId::None;
};

// What the names of a block stand for in one program.
struct Link {
    std::vector<InterfaceSet> interfaces;  // of Code::interfaces
    std::vector<std::uint32_t> chains;     // of CompiledBlock::jumps: their numbers in the table
};

struct LinkedBlock {
    std::shared_ptr<const CompiledBlock> code;
    Link link;
};

struct CompiledChain {
    std::shared_ptr<const Chain> source;
    std::vector<LinkedBlock> blocks;
    ChainIndex index;
    std::uint8_t tcp_flags = 0;  // that its rules ask for
};

struct CompiledTable {
    std::shared_ptr<const Table> source;
    std::array<std::int32_t, kHookCount> entry{-1, -1, -1, -1, -1};  // chain of a hook
    std::vector<std::shared_ptr<const CompiledChain>> chains;        // of those of `source`
    std::uint8_t tcp_flags = 0;                                      // that their rules ask for
};

struct CompiledRuleset {
    Ruleset ruleset;
    InterfaceNames interfaces;
    InterfaceKeys keys;
    std::array<std::array<std::shared_ptr<const CompiledTable>, kTableCount>, 2> tables;
    std::array<std::string, 2> tracking;  // what needs_tracking() says of each family
    std::size_t deepest = 0;              // chains of the table that has most
    RulePlaces places;
};

// What is the same in `base` (null: nothing) is shared with it. Precondition: the ruleset was
// checked, so that every jump has a chain to go to.
std::shared_ptr<const CompiledRuleset> compile(Ruleset ruleset, InterfaceNames interfaces,
                                               const CompiledRuleset* base);

}  // namespace nsr::rules
