// A rule as `ip rule` prints it.
#pragma once

#include <string>
#include <vector>

#include "core/routing/interface_table.hpp"
#include "core/routing/policy_rule.hpp"

namespace nsr::router {

// `all`: those of its family, for goto.
std::string rule_text(const routing::PolicyRule& rule, const std::vector<routing::PolicyRule>& all,
                      const routing::InterfaceTable& interfaces);

}  // namespace nsr::router
