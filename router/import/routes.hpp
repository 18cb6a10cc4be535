// Routes, and the rules that choose among their tables, as ip(8) prints them.
#pragma once

#include <vector>

#include "router/import/draft.hpp"
#include "router/import/dumps.hpp"
#include "router/import/links.hpp"

namespace nsr::router {

// Those routes that an address implies where its interface is up.
std::vector<Connected> connected_routes(const Dumps& dumps);
// All others.
void add_routes(const Dumps& dumps, const std::vector<SeenLink>& links, Draft& draft);

// policy.cpp
void add_policy_rules(const Dumps& dumps, Draft& draft);

// The name of a table as the configuration takes it: a number where the machine has another name.
std::string table_here(const Dumps& dumps, std::string_view name);

}  // namespace nsr::router
