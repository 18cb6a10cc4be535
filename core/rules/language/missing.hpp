// What iptables knows and we do not.
#pragma once

#include <string_view>

namespace nsr::rules {

// Whether iptables knows a match or target of this name, and we do not.
bool is_missing_module(std::string_view name);

}  // namespace nsr::rules
