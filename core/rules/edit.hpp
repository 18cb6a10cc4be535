// Changes of a Ruleset, one at a time, as iptables makes them: what each refuses, and what it
// leaves alone.
//
// Everything that is not named stays as it was: its values, its id, and with the id what it counts
// and what it remembers between packets. A table that is not loaded is loaded by the first change
// of it. Whether the result is legal as a whole (loops, hooks) is for language/check.hpp to say.
// kernel: libiptc of iptables(8)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

enum class EditError : std::uint8_t {
    NoChain,        // ENOENT
    NoSuchRule,     // no rule is the same
    IndexTooBig,    // E2BIG; rules are numbered from 1
    ChainExists,    // EEXIST
    ChainNotEmpty,  // ENOTEMPTY
    ChainInUse,     // EMLINK
    BuiltIn,        // EINVAL: only a user chain can be deleted
    NotBuiltIn,     // only a built-in chain has a policy
};
using Edited = Result<Done, EditError>;

// A chain of a ruleset, by its name.
struct ChainAt {
    Family family;
    TableId table;
    std::string_view chain;
};

// `position`: the number that the rule has afterwards, 1 to the number of rules + 1.
Edited insert_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position, Rule rule);
Edited append_rule(Ruleset& ruleset, const ChainAt& at, Rule rule);
Edited replace_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position, Rule rule);
Edited delete_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position);
// The number of the first rule of the chain with this text.
std::optional<std::size_t> find_rule(const Ruleset& ruleset, const ChainAt& at, const Rule& like);

// The name is for chain_name_problem() to judge.
Edited add_chain(Ruleset& ruleset, const ChainAt& at);
Edited delete_chain(Ruleset& ruleset, const ChainAt& at);
// Jumps to it follow.
Edited rename_chain(Ruleset& ruleset, const ChainAt& at, std::string_view name);
Edited flush_chain(Ruleset& ruleset, const ChainAt& at);
// The policy counts from `counters` on: a new one begins anew.
Edited set_policy(Ruleset& ruleset, const ChainAt& at, Policy policy,
                  const RuleCounters& counters = {});

// Counters of a chain's policy and of its rules, or of one rule.
Edited zero_chain(Ruleset& ruleset, const ChainAt& at);
Edited zero_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position);

// The chain that a rule jumps or goes to; empty: none.
std::string_view jump_of(const Rule& rule);
// How many rules of the table jump or go to `chain`.
std::size_t references(const Table& table, std::string_view chain);

// A rule of `after` that has the text of a rule in the same chain of `before` becomes that rule: it
// keeps its id, so that what it remembers goes on, and has the location of the new text. Of equal
// rules the first becomes the first. Others get ids that `before` never used. Linear in the number
// of rules; chains that both share cost nothing. Chains and tables of which nothing tells apart the
// two are shared from then on.
// Given: rules and policies count from what `after` says; Kept: those of `before` go on counting.
enum class CountersOf : std::uint8_t { Given, Kept };
void keep_identity(const Ruleset& before, Ruleset& after, CountersOf counters);

}  // namespace nsr::rules
