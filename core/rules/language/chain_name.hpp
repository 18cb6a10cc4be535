// Names of user chains.
#pragma once

#include <string>
#include <string_view>

namespace nsr::rules {

// What is wrong with the name of a user chain, in a sentence; empty: nothing.
std::string chain_name_problem(std::string_view name);

}  // namespace nsr::rules
