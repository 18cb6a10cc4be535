#include "router/config/build.hpp"

#include <utility>

#include "core/procfs/sysctl.hpp"
#include "core/procfs/table_size.hpp"

namespace nsr::router {
namespace {

ConfigError describe(const SysctlConfig& setting, const procfs::Failure& failure) {
    return {setting.where, setting.name + " = " + setting.value + ": " +
                               std::string(procfs::text_of(failure.code)) +
                               (failure.detail.empty() ? "" : "; ") + failure.detail};
}

Result<Done, procfs::Failure> set_one(const SysctlConfig& from,
                                      const std::vector<std::string>& interfaces,
                                      std::uint64_t memory_bytes, pipeline::Settings& settings) {
    const auto sysctl = procfs::find_sysctl(from.name, interfaces);
    if (!sysctl) {
        return procfs::Failure{procfs::Errno::NoEntry, {}};
    }
    return procfs::set_sysctl(*sysctl, from.value, memory_bytes, settings);
}

}  // namespace

pipeline::Settings initial_settings(std::uint64_t memory_bytes) {
    const procfs::TableSize size = procfs::default_table_size(memory_bytes);
    pipeline::Settings settings;
    settings.conntrack.buckets = size.buckets;
    settings.conntrack.max = size.max;
    return settings;
}

// A value may be possible only when another one is set: those that are refused have another try as
// long as that helps.
Result<pipeline::Settings, ConfigErrors> with_sysctls(pipeline::Settings settings,
                                                      const Config& config,
                                                      std::uint64_t memory_bytes) {
    return with_sysctls(std::move(settings), config, config.interface_names(), memory_bytes);
}

Result<pipeline::Settings, ConfigErrors> with_sysctls(pipeline::Settings settings,
                                                      const Config& config,
                                                      const std::vector<std::string>& interfaces,
                                                      std::uint64_t memory_bytes) {
    settings.conntrack.helpers = config.conntrack.helpers;
    std::vector<SysctlConfig> left = config.sysctls;
    while (true) {
        ConfigErrors errors;
        std::vector<SysctlConfig> refused;
        for (const SysctlConfig& sysctl : left) {
            const auto done = set_one(sysctl, interfaces, memory_bytes, settings);
            if (!done) {
                errors.push_back(describe(sysctl, done.error()));
                refused.push_back(sysctl);
            }
        }
        if (refused.empty()) {
            return settings;
        }
        if (refused.size() == left.size()) {
            return errors;
        }
        left = std::move(refused);
    }
}

Result<Router::Options, ConfigErrors> router_options(const Config& config,
                                                     std::uint64_t memory_bytes) {
    auto settings = with_sysctls(initial_settings(memory_bytes), config, memory_bytes);
    if (!settings) {
        return settings.error();
    }
    Router::Options options;
    options.settings = std::move(*settings);
    options.tracking = config.conntrack.mode;
    options.records = config.records;
    options.history_bytes = config.capture_ring_bytes;
    return options;
}

routing::Interface interface_of(const InterfaceConfig& from) {
    routing::Interface interface;
    interface.name = from.name;
    interface.mtu = from.mtu;
    interface.up = from.up;
    for (const Located<Prefix>& address : from.addresses) {
        interface.addresses.push_back(address.value);
    }
    return interface;
}

routing::Interface host_interface() {
    routing::Interface host;
    host.name = kHostInterface;
    host.host = true;
    host.mtu = 65535;  // the links behind it are what limits
    return host;
}

std::vector<routing::Route> routes_of(const Config& config,
                                      const routing::InterfaceTable& interfaces) {
    std::vector<routing::Route> routes;
    const auto index = [&](const std::string& name) {
        const routing::Interface* out = interfaces.find(name);
        return out == nullptr ? IfIndex::None : out->index;
    };
    for (const RouteConfig& from : config.routes) {
        routing::Route& route = routes.emplace_back(from.more);
        route.to = from.to;
        route.via = from.via;
        route.interface = index(from.interface);
        route.type = from.type;
        for (const HopConfig& hop : from.hops) {
            route.hops.push_back({hop.via, index(hop.interface), hop.weight, hop.onlink});
        }
    }
    return routes;
}

routing::RuleList policy_rules_of(const Config& config) {
    std::vector<routing::PolicyRule> rules;
    for (const PolicyRuleConfig& from : config.policy_rules) {
        rules.push_back(from.rule);
    }
    routing::RuleList list;
    list.assign(rules);
    return list;
}

// An interface may be down by now, or have lost an address.
ConfigError route_error(const Config& config, const routing::RouteRefusal& refusal) {
    const RouteConfig& route = config.routes[refusal.index];
    std::string why = ": its interface is down, or its gateway out of reach";
    if (refusal.why == routing::RouteChange::Exists) {
        why = ": another one leads there already";
    } else if (refusal.why == routing::RouteChange::BadSource) {
        why = ": its src is no address of the router any more";
    }
    return {route.where, "route to " + to_string(route.to) + why};
}

ConfigErrors set_routes(Router& router, const Config& config) {
    router.set_policy_rules(policy_rules_of(config));
    const auto change = router.set_routes(routes_of(config, router.interfaces()));
    return change ? ConfigErrors{} : ConfigErrors{route_error(config, change.error())};
}

ConfigErrors fill_router(Router& router, const Config& config, Instant now) {
    for (const InterfaceConfig& interface : config.interfaces) {
        router.add_interface(interface_of(interface));
    }
    ConfigErrors errors = set_routes(router, config);
    const ConfigErrors wrong = build_sets(config, router.sets(), now);
    errors.insert(errors.end(), wrong.begin(), wrong.end());
    const ConfigErrors too_many = put_timeouts(router, config.timeouts);
    errors.insert(errors.end(), too_many.begin(), too_many.end());
    router.apply(config.ruleset, now);
    return errors;
}

}  // namespace nsr::router
