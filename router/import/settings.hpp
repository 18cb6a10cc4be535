// Sysctls: those that the router has, and the others where they matter.
#pragma once

#include <vector>

#include "router/import/draft.hpp"
#include "router/import/dumps.hpp"
#include "router/import/links.hpp"

namespace nsr::router {

// After the interfaces, whose names sysctls have in theirs.
void add_sysctls(const Dumps& dumps, const std::vector<SeenLink>& links, Draft& draft);

}  // namespace nsr::router
