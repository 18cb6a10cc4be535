// In which families a rule given as words makes sense.
#pragma once

#include <string>
#include <vector>

#include "core/rules/module.hpp"

namespace nsr::rules {

// What its matches allow: a native rule without `family` goes to each family it is allowed in.
FamilySupport families_of(const std::vector<std::string>& words);

}  // namespace nsr::rules
