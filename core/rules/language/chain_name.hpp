// Names of user chains.
#pragma once

#include <string>
#include <string_view>

namespace nsr::rules {

// What is wrong with the name of a user chain, in a sentence; empty: nothing. -N refuses more than
// ":NAME -" in a file does: the names of all targets, and what begins like an option.
std::string chain_name_problem(std::string_view name);
std::string declared_name_problem(std::string_view name);

}  // namespace nsr::rules
