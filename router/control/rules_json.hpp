// Every rule with where it comes from and what it counted, as JSON.
#pragma once

#include <string>
#include <vector>

#include "core/rules/counters.hpp"

namespace nsr::router {

// An array of chains, a rule a line.
std::string rules_json_text(const rules::Counted& counted, const std::vector<Family>& families);

}  // namespace nsr::router
