// RuleObserver: rule by rule, what happened; for traces. A null observer costs nothing.
#pragma once

#include <string_view>

#include "core/rules/ruleset.hpp"

namespace nsr::rules {

class RuleObserver {
  public:
    virtual ~RuleObserver() = default;
    virtual void rule_tried(TableId table, std::string_view chain, const Rule& rule,
                            bool matched) = 0;
    virtual void policy_applied(TableId table, std::string_view chain, Policy policy) = 0;
};

}  // namespace nsr::rules
