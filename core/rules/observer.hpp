// RuleObserver: rule by rule, what happened; for traces. A null observer costs nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// A rule that a packet came to.
struct RuleTried {
    TableId table;
    std::string_view chain;
    std::uint32_t number;  // in its chain, from 1, as iptables --line-numbers
    const Rule& rule;
    const RuleCounters& counters;  // this packet not yet among them
    bool matched;
};

class RuleObserver {
  public:
    virtual ~RuleObserver() = default;
    virtual void rule_tried(const RuleTried& tried) = 0;
    virtual void policy_applied(TableId table, std::string_view chain, Policy policy) = 0;
    // False: those that an index leaves out, since they cannot match, need not be told.
    [[nodiscard]] virtual bool wants_every_rule() const { return true; }
};

}  // namespace nsr::rules
