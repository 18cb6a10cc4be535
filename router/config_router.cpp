#include "router/config_router.hpp"

#include "core/procfs/sysctl.hpp"
#include "core/procfs/table_size.hpp"

namespace nsr::router {
namespace {

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

// Sysctls are written to a router that is thrown away, with tracking on: theirs exist only then,
// and the real one may start without it.
Result<Router::Options, ConfigErrors> router_options(const Config& config,
                                                     std::uint64_t memory_bytes) {
    const procfs::TableSize size = procfs::default_table_size(memory_bytes);
    Router::Options scratch_options;
    scratch_options.conntrack.buckets = size.buckets;
    scratch_options.conntrack.max = size.max;
    scratch_options.tracking = TrackingMode::On;
    Router scratch(std::move(scratch_options));
    add_interfaces(scratch, config);
    procfs::Context context{scratch, config.line_format, {}, memory_bytes};
    ConfigErrors errors;
    for (const SysctlConfig& setting : config.sysctls) {
        const auto failure = procfs::set_sysctl(context, setting.name, setting.value, Instant{});
        if (failure) {
            errors.push_back({setting.where, setting.name + " = " + setting.value + ": " +
                                                 std::string(procfs::text_of(failure->code)) +
                                                 (failure->detail.empty() ? "" : "; ") +
                                                 failure->detail});
        }
    }
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

void furnish(Router& router, const Config& config, Instant now) {
    add_interfaces(router, config);
    for (const RouteConfig& route : config.routes) {
        const routing::Interface* interface = router.interfaces().find(route.interface);
        router.add_route({route.to, route.via,
                          interface == nullptr ? IfIndex::None : interface->index, route.type});
    }
    router.apply(config.ruleset, now);
}

}  // namespace nsr::router
