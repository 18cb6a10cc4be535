// From a Config to a Router that is ready for its first packet: the same for the running router and
// for a replay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/config/config.hpp"

namespace nsr::sets {
class Sets;
}

namespace nsr::router {

// What a router of a machine (or cgroup) with this much memory begins with: the size of its table
// follows from that.
pipeline::Settings initial_settings(std::uint64_t memory_bytes);

// `settings` with every sysctl of the configuration, in an order in which values that bound each
// other fit; or what could not be set, such as a table that the memory cannot hold. Tracking may be
// off: its sysctls are set all the same.
Result<pipeline::Settings, ConfigErrors> with_sysctls(pipeline::Settings settings,
                                                      const Config& config,
                                                      std::uint64_t memory_bytes);

// The same for a router that runs: [i] of `interfaces` is the name of the one with index i + 1.
Result<pipeline::Settings, ConfigErrors> with_sysctls(pipeline::Settings settings,
                                                      const Config& config,
                                                      const std::vector<std::string>& interfaces,
                                                      std::uint64_t memory_bytes);

// Both, for a router that does not run yet. Whoever runs it adds its log, its seed and its table
// memory.
Result<Router::Options, ConfigErrors> router_options(const Config& config,
                                                     std::uint64_t memory_bytes);

routing::Interface interface_of(const InterfaceConfig& from);
// The link to the [host] namespace, which comes behind all others.
routing::Interface host_interface();
routing::RuleList policy_rules_of(const Config& config);
std::vector<routing::Route> routes_of(const Config& config,
                                      const routing::InterfaceTable& interfaces);
ConfigError route_error(const Config& config, const routing::RouteRefusal& refusal);

// Routes of the configuration in the place of all others, or what is wrong with one of them.
[[nodiscard]] ConfigErrors set_routes(Router& router, const Config& config);

// The sets of the configuration, into `sets`; what could not be made is reported, and left out.
// sets_section.cpp
[[nodiscard]] ConfigErrors build_sets(const Config& config, sets::Sets& sets, Instant now);

// The timeout policies of `next` that `before` describes in another way, or that are not there.
// timeout_section.cpp
std::vector<TimeoutConfig> changed_timeouts(const Config& before, const Config& next,
                                            const Router& router);
// Each in the place of one of that name; what it does not say the sysctls say now.
[[nodiscard]] ConfigErrors put_timeouts(Router& router, const std::vector<TimeoutConfig>& timeouts);
// Those that only `before` describes, unless rules name them.
void remove_old_timeouts(Router& router, const Config& before, const Config& next);

// Interfaces in the configuration's order (IfIndex i is interfaces[i - 1]), routes, sets, timeout
// policies, rules, tracking.
[[nodiscard]] ConfigErrors fill_router(Router& router, const Config& config, Instant now);

}  // namespace nsr::router
