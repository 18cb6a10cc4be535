// Counters of rules and policies, apart from the rules: what they counted up to one moment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// Of one table, in the table's own order; numbers count from 0.
class TableCounters {
  public:
    void add_chain(const RuleCounters& policy) {
        policies_.push_back(policy);
        first_.push_back(static_cast<std::uint32_t>(rules_.size()));
    }
    // Of the chain that was added last.
    void add_rules(const RuleCounters* first, std::size_t count) {
        rules_.insert(rules_.end(), first, first + count);
    }
    [[nodiscard]] const RuleCounters& policy(std::size_t chain) const { return policies_[chain]; }
    [[nodiscard]] const RuleCounters& rule(std::size_t chain, std::size_t number) const {
        return rules_[first_[chain] + number];
    }
    // Of a table of the same chains with as many rules; false, and nothing done: it is not.
    bool add(const TableCounters& more);

  private:
    // They grow in pieces, and none is ever copied again for that.
    std::deque<RuleCounters> policies_;
    std::deque<std::uint32_t> first_;  // rule of each chain
    std::deque<RuleCounters> rules_;
};

struct Counters {
    std::array<std::array<TableCounters, kTableCount>, 2> tables;  // [0] IPv4, [1] IPv6
    [[nodiscard]] TableCounters& table(Family family, TableId id) {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    [[nodiscard]] const TableCounters& table(Family family, TableId id) const {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
};

// Those that its rules and policies begin with.
TableCounters first_counters(const Table& table);

// A ruleset at work and what it has counted.
struct Counted {
    Ruleset ruleset;
    Counters counters;
};

// What the same rules have counted elsewhere comes to `sum`. Tables that are not the same as there
// are left out.
void add_counters(Counted& sum, const Counted& more);
// The same rules, of which those that are new begin to count from zero.
Ruleset from_zero(Ruleset ruleset);

}  // namespace nsr::rules
