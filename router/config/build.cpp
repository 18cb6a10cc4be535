#include "router/config/build.hpp"

#include <set>
#include <string_view>

#include "core/procfs/sysctl.hpp"
#include "core/procfs/table_size.hpp"

namespace nsr::router {
namespace {

// Names only: enough for sysctls, and whatever else is wrong with an interface does not matter.
void add_names(Router& router, const Config& config) {
    std::set<std::string_view> names;
    for (const InterfaceConfig& from : config.interfaces) {
        if (!from.name.empty() && names.insert(from.name).second) {
            routing::Interface interface;
            interface.name = from.name;
            router.add_interface(std::move(interface));
        }
    }
}

// Tracking is on: its sysctls exist only then, and the real router may start without it.
Router scratch_router(std::uint64_t memory_bytes, Router* live) {
    const procfs::TableSize size = procfs::default_table_size(memory_bytes);
    Router::Options options;
    options.conntrack.buckets = size.buckets;
    options.conntrack.max = size.max;
    if (live != nullptr) {
        options.conntrack = live->conntrack().settings();
        options.defrag = live->defrag().settings();
        options.forwarding = live->forwarding();
    }
    options.tracking = TrackingMode::On;
    return Router(std::move(options));
}

ConfigError describe(const SysctlConfig& setting, const procfs::Failure& failure) {
    return {setting.where, setting.name + " = " + setting.value + ": " +
                               std::string(procfs::text_of(failure.code)) +
                               (failure.detail.empty() ? "" : "; ") + failure.detail};
}

void add_interfaces(Router& router, const Config& config) {
    for (const InterfaceConfig& from : config.interfaces) {
        routing::Interface interface;
        interface.name = from.name;
        interface.mtu = from.mtu;
        for (const Located<Prefix>& address : from.addresses) {
            interface.addresses.push_back(address.value);
        }
        router.add_interface(std::move(interface));
    }
}

}  // namespace

Result<Router::Options, ConfigErrors> router_options(const Config& config,
                                                     std::uint64_t memory_bytes) {
    Router scratch = scratch_router(memory_bytes, nullptr);
    add_names(scratch, config);
    procfs::Context context{scratch, config.line_format, {}, memory_bytes};
    ConfigErrors errors = apply_sysctls(config.sysctls, context, Instant{});
    if (!errors.empty()) {
        return errors;
    }
    Router::Options options;
    options.conntrack = scratch.conntrack().settings();
    options.defrag = scratch.defrag().settings();
    options.forwarding = scratch.forwarding();
    options.tracking = config.conntrack.mode;
    return options;
}

// A value may be possible only when another one is set: those that are refused have another try as
// long as that helps.
ConfigErrors apply_sysctls(const std::vector<SysctlConfig>& settings, procfs::Context& context,
                           Instant now) {
    std::vector<SysctlConfig> left = settings;
    while (true) {
        ConfigErrors errors;
        std::vector<SysctlConfig> refused;
        for (const SysctlConfig& setting : left) {
            if (const auto failure =
                    procfs::set_sysctl(context, setting.name, setting.value, now)) {
                errors.push_back(describe(setting, *failure));
                refused.push_back(setting);
            }
        }
        if (refused.empty() || refused.size() == left.size()) {
            return errors;
        }
        left = std::move(refused);
    }
}

ConfigErrors check_sysctls(const Config& config, std::uint64_t memory_bytes, Router* live) {
    Router scratch = scratch_router(memory_bytes, live);
    add_names(scratch, config);
    procfs::Context context{scratch, config.line_format, {}, memory_bytes};
    return apply_sysctls(config.sysctls, context, Instant{});
}

// An interface may be down by now, or have lost an address.
ConfigErrors set_routes(Router& router, const Config& config) {
    std::vector<routing::Route> routes;
    for (const RouteConfig& route : config.routes) {
        const routing::Interface* interface = router.interfaces().find(route.interface);
        routes.push_back({route.to, route.via,
                          interface == nullptr ? IfIndex::None : interface->index, route.type});
    }
    const auto refusal = router.set_routes(routes);
    if (!refusal) {
        return {};
    }
    const RouteConfig& route = config.routes[refusal->index];
    return {{route.where, "route to " + to_string(route.to) +
                              (refusal->why == routing::RouteChange::Exists
                                   ? ": another one leads there already"
                                   : ": its interface is down, or its gateway out of reach")}};
}

ConfigErrors furnish(Router& router, const Config& config, Instant now) {
    add_interfaces(router, config);
    ConfigErrors errors = set_routes(router, config);
    router.apply(config.ruleset, now);
    return errors;
}

}  // namespace nsr::router
