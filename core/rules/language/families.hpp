// In which families a rule given as words makes sense.
#pragma once

#include <string>
#include <vector>

#include "core/conntrack/record/timeout_policy.hpp"
#include "core/rules/module.hpp"
#include "core/sets/catalogue.hpp"

namespace nsr::rules {

// What its matches, and the families of the sets and of the timeout policy that it names, allow: a
// native rule without `family` goes to each family it is allowed in.
FamilySupport families_of(const std::vector<std::string>& words, const sets::Catalogue& sets = {},
                          const conntrack::TimeoutCatalogue& timeouts = {});

}  // namespace nsr::rules
