// The state of a router as the text that replays write and recordings hold.
#pragma once

#include <string>

#include "core/pipeline/router.hpp"

namespace nsr::router {

// "# t=SECONDS", the connection table, the expectations.
std::string checkpoint_text(const Router& router, Instant now);

// Counters, the number of entries, then the rules with their counters of the tables named; all that
// are loaded if none are.
std::string stats_text(const Router& router, const std::vector<std::string>& tables4,
                       const std::vector<std::string>& tables6);

}  // namespace nsr::router
