// Extensions that rules may name and that are not supported: why, and which are tolerated.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/rules/tolerance.hpp"

namespace nsr::rules {

// Whether somebody's iptables knows a match or target of this name, and we do not.
bool is_foreign(std::string_view name);

// The message: `what` ("match \"geoip\"") is not supported, and why. `known`: what may have been
// meant by a name that nobody knows.
std::string not_supported(const std::string& what, std::string_view name,
                          const std::vector<std::string_view>& known);

bool tolerates_match(const Tolerance& tolerance, std::string_view name);
bool tolerates_target(const Tolerance& tolerance, std::string_view name);

}  // namespace nsr::rules
