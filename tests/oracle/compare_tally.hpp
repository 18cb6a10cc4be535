// The comparison of what routers count of their own, which is not recorded.
#pragma once

#include "core/pipeline/shard_duties.hpp"
#include "tests/oracle/recorded_case.hpp"

namespace oracle {

// Connections and memory, which are no counters, are left out.
void compare_tallies(const nsr::Tally& expected, const nsr::Tally& actual,
                     std::vector<Difference>& differences);

}  // namespace oracle
