// The state of a router as the text that replays write and recordings hold.
#pragma once

#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "core/rules/counters.hpp"

namespace nsr::router {

// "# t=SECONDS", the connection table, the expectations.
std::string checkpoint_text(const Router& router, Instant now);

// Counters, the number of entries, then the rules with their counters of the tables named; all that
// are loaded if none are.
std::string stats_text(const Router& router, const std::vector<std::string>& tables4,
                       const std::vector<std::string>& tables6);
// The same with what the rules of all shards have counted.
std::string stats_text(const Router& router, const rules::Counted& counted,
                       const std::vector<std::string>& tables4,
                       const std::vector<std::string>& tables6);

}  // namespace nsr::router
