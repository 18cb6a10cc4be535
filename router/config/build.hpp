// From a Config to a Router that is ready for its first packet: the same for the running router and
// for a replay.
#pragma once

#include <cstdint>

#include "core/pipeline/router.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

// Sizes by memory, then every sysctl of the configuration. Whoever runs the router adds its log,
// its seed and its table memory. Errors are those of values that need the whole picture, such as a
// table that the memory cannot hold.
Result<Router::Options, ConfigErrors> router_options(const Config& config,
                                                     std::uint64_t memory_bytes);

// Sets them all, in an order in which values that bound each other fit. What could not be set comes
// back.
[[nodiscard]] ConfigErrors apply_sysctls(const std::vector<SysctlConfig>& settings,
                                         procfs::Context& context, Instant now);
// The same on a router that is thrown away: one as it starts, or one with the values of `live`.
[[nodiscard]] ConfigErrors check_sysctls(const Config& config, std::uint64_t memory_bytes,
                                         Router* live = nullptr);
// Routes of the configuration in the place of all others, or what is wrong with one of them.
[[nodiscard]] ConfigErrors set_routes(Router& router, const Config& config);

// Interfaces in the configuration's order (IfIndex i is interfaces[i - 1]), routes, rules,
// tracking.
[[nodiscard]] ConfigErrors furnish(Router& router, const Config& config, Instant now);

}  // namespace nsr::router
