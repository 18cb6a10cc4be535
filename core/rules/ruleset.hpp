// Ruleset: tables, chains and rules as values, whatever text they came from.
//
// Theory of operation
//   Text becomes a Ruleset (language/), a Ruleset becomes a Program (program/), a Program judges
//   packets. iptables-save text (language/parse.hpp) and native TOML rules (language/native.hpp,
//   one at a time: their keys are iptables' long options) both end here. A Ruleset is checked
//   (language/check.hpp: every name resolved, every match legal in its table and chain), then
//   compiled and swapped in. A rule is a list of Match and one Target, both immutable and shared:
//   a rule that two rulesets hold is the same rule. Counters live beside the rules and survive a
//   reload for rules that stay the same only as iptables-restore would: given in the file, else
//   zero. Order of tables and of chains is the file's; every rule knows its file and line.
// kernel: struct ipt_replace; iptables-save(8)
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/ids.hpp"
#include "core/rules/table_id.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

struct RuleCounters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

class Match;   // one compiled-in kind of match with its parameters; see match.hpp
class Target;  // ditto, target.hpp

struct Rule {
    RuleId id = RuleId::None;  // unique in the ruleset, given when it is added
    std::vector<std::shared_ptr<const Match>>
        matches;  // -s, -d, -i, -o, -p, -f first, then -m in order of appearance
    std::shared_ptr<const Target> target;  // null: count only
    RuleCounters counters;
    SourceLocation where;
};

enum class Policy : std::uint8_t { None, Accept, Drop };  // None: a user chain
std::string_view name_of(Policy policy);                  // "ACCEPT", "DROP", "-"

struct Chain {
    std::string name;
    Policy policy = Policy::None;
    RuleCounters counters;  // of the policy
    std::vector<Rule> rules;
};

struct Table {
    bool loaded = false;
    // Built-in ones first in hook order, then user chains in the file's order. Grows by add() only.
    std::vector<Chain> chains;

    // Precondition: no chain has this name.
    Chain& add(std::string name, Policy policy);
    [[nodiscard]] Chain* find(std::string_view chain);
    [[nodiscard]] const Chain* find(std::string_view chain) const;

  private:
    std::map<std::string, std::size_t, std::less<>> places_;  // in `chains`
};

struct Ruleset {
    std::array<std::array<Table, kTableCount>, 2> tables;  // [0] IPv4, [1] IPv6
    [[nodiscard]] Table& table(Family family, TableId id) {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    [[nodiscard]] const Table& table(Family family, TableId id) const {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    RuleId next_id = RuleId{1};

    // Makes `table` loaded with its built-in chains, all ACCEPT, if it is not yet.
    Table& load(Family family, TableId id);
};

// Appends a parsed rule to `chain` of `ruleset` and gives it its id.
const Rule* add_rule(Ruleset& ruleset, Chain& chain, Rule rule);

}  // namespace nsr::rules
