// PreparedRules: a ruleset made ready for a router, away from it.
//
// Theory of operation
//   Compiling many rules takes longer than packets should wait. So it is done on values: the router
//   gives a RulesBasis, prepare_rules() makes a program from that and a new ruleset (in another
//   thread, if the caller has one), and Router::adopt() swaps it in between two batches. What was
//   at work comes back in its place, for the caller to destroy wherever that is in nobody's way.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr {

// What a change of rules begins from, as it was at one moment.
struct RulesBasis {
    rules::Ruleset ruleset;  // with the counters of then
    std::vector<std::pair<std::string, IfIndex>> interfaces;
};

struct PreparedRules {
    rules::Program program;
    // By index_of(family): the first rule that needs tracking, as "file:line: rule"; empty: none.
    std::array<std::string, 2> tracking_users;
    bool begins_accounting = false;  // a rule that was not there before reads counters
};

// Precondition: `next` was checked. Pure: reads nothing that a router at work changes.
PreparedRules prepare_rules(rules::Ruleset next, const RulesBasis& basis);

}  // namespace nsr
