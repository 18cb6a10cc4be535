// PreparedRules: a ruleset made ready for a router, away from it.
//
// Theory of operation
//   Compiling many rules takes longer than packets should wait. So it is done on values: the router
//   gives a RulesBasis, prepare_rules() makes a program from that and a new ruleset (in another
//   thread, if the caller has one), and Router::adopt() swaps it in between two batches. What was
//   at work comes back in its place, for the caller to destroy wherever that is in nobody's way.
#pragma once

#include <vector>

#include "core/pipeline/rule_names.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/timeout_use.hpp"
#include "core/sets/catalogue.hpp"

namespace nsr {

// What a change of rules begins from, as it was at one moment.
struct RulesBasis {
    rules::InterfaceNames interfaces;
    rules::Program::Base program;

    [[nodiscard]] const rules::Counted& counted() const { return program.counted; }
    [[nodiscard]] const rules::Ruleset& ruleset() const { return program.counted.ruleset; }
};

struct PreparedRules {
    rules::Program program;
    sets::References sets;  // how often the rules name each
    rules::TimeoutReferences timeouts;
    std::vector<pipeline::LeavingRule> leaving;  // of the rules at work
};

// Precondition: `next` was checked. Pure: reads nothing that a router at work changes.
PreparedRules prepare_rules(rules::Ruleset next, const RulesBasis& basis);

}  // namespace nsr
