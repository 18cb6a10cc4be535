// From a Config to a Router that is ready for its first packet: the same for the running router and
// for a replay.
#pragma once

#include <cstdint>

#include "core/pipeline/router.hpp"
#include "router/config.hpp"

namespace nsr::router {

// Sizes by memory, then every sysctl of the configuration. Whoever runs the router adds its log,
// its seed and its table memory. Errors are those of values that need the whole picture, such as a
// table that the memory cannot hold.
Result<Router::Options, ConfigErrors> router_options(const Config& config,
                                                     std::uint64_t memory_bytes);

// Interfaces in the configuration's order (IfIndex i is interfaces[i - 1]), routes, rules,
// tracking.
void furnish(Router& router, const Config& config, Instant now);

}  // namespace nsr::router
