// RuleNames: where the rules stand that counters and records name by their id, those included that
// are at work no more.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>

#include "core/base/config_error.hpp"
#include "core/base/ids.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::pipeline {

struct RuleName {
    rules::TableId table = rules::TableId::Filter;
    std::string chain;
    std::uint32_t number = 0;  // in its chain, from 1
    SourceLocation where;
    std::string text;  // as iptables-save writes it, from -A on
    bool gone = false;
};

using RuleIds = std::set<RuleId>;

class RuleNames {
  public:
    // Before `ruleset` gives way to another one: keeps the names of these of its rules, and forgets
    // all that nobody asks for any more. Walks over all rules if there is any to be kept.
    void keep(const rules::Ruleset& ruleset, const RuleIds& wanted);
    // Of these rules, as they stand in `ruleset`, or stood when they were kept.
    using Names = std::unordered_map<RuleId, RuleName>;
    [[nodiscard]] Names of(const rules::Ruleset& ruleset, const RuleIds& wanted) const;

  private:
    Names kept_;
};

}  // namespace nsr::pipeline
