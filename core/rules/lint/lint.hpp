// Lint: what is legal in a ruleset, and surely not meant.
//
// Theory of operation
//   A ruleset is read once (subject.hpp): every rule becomes a list of conditions that can be
//   compared (condition.hpp), every chain knows whether packets come back out of it. Each row of
//   checks() then looks at the whole and warns of rules by their place. A warning is about what
//   cannot be right whatever the packets are; where that depends on what somebody wants, there is
//   none: a ruleset that does what it says is silent. What a rule could only be compared with by
//   knowing what packets do to it (marks, rates, sets, the time) counts as "may match or not".
// Limits: rulesets of more than kMostRules rules are not looked at; a rule is compared with at most
// kMostCompared of those before it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/base/config_error.hpp"
#include "core/rules/lint/surroundings.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules::lint {

inline constexpr std::size_t kMostRules = 100'000;
inline constexpr std::size_t kMostCompared = 256;

class Subject;
class Report;

struct Check {
    std::string_view name;  // stands in brackets behind its warnings
    std::string_view says;  // what is wrong, in a sentence
    void (*look)(const Subject& subject, Report& report);
};
std::span<const Check> checks();

// In order of place; columns are left out. The same about both families is said once.
ConfigErrors lint(const Ruleset& ruleset, const Surroundings& surroundings);

}  // namespace nsr::rules::lint
