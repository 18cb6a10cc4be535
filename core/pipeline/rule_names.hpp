// RuleNames: where the rules stood that counters and records name by their id and that are at work
// no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/ids.hpp"
#include "core/pipeline/drop_places.hpp"
#include "core/pipeline/recorder.hpp"
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

// A rule of a ruleset that the next one does not have.
struct LeavingRule {
    RuleId id = RuleId::None;
    rules::TableId table = rules::TableId::Filter;
    std::string chain;
    std::uint32_t number = 0;
    std::shared_ptr<const rules::Rule> rule;
};

// By id. Looks at what the rulesets do not share, so it is for a thread that packets do not wait
// for.
std::vector<LeavingRule> leaving_rules(const rules::Ruleset& before, const rules::Ruleset& after);

RuleName name_of(const LeavingRule& rule);

class RuleNames {
  public:
    // Keeps those that `places` or records name; what nobody names any more is forgotten now and
    // then.
    void keep(const std::vector<LeavingRule>& leaving, const DropPlaces& places,
              const Recorder& recorder);
    // Nothing: no such rule has left.
    [[nodiscard]] std::optional<RuleName> find(RuleId id) const;

  private:
    void forget_unnamed(const DropPlaces& places, const Recorder& recorder);

    std::unordered_map<RuleId, LeavingRule> kept_;
};

}  // namespace nsr::pipeline
