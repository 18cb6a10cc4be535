#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/rules/needs.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

// An order for maps.
using Network = std::pair<IpAddress, std::uint8_t>;
Network key_of(const Prefix& prefix) {
    return {prefix.address, prefix.length};
}

void check_names(const Config& config, ConfigErrors& errors);
void check_mtu(const InterfaceConfig& interface, ConfigErrors& errors);
void check_host_routes(const InterfaceConfig& interface, ConfigErrors& errors);
void check_control(const Config& config, ConfigErrors& errors);
void check_tracking(const Config& config, ConfigErrors& errors);
void check_host(const Config& config, ConfigErrors& errors);
void check_far_routes(const Config& config, ConfigErrors& errors);
void check_table_size(const Config& config, ConfigErrors& errors);

}  // namespace

void check_config(const Config& config, ConfigErrors& errors) {
    check_names(config, errors);
    check_addresses(config, errors);
    for (const InterfaceConfig& interface : config.interfaces) {
        check_mtu(interface, errors);
        check_host_routes(interface, errors);
    }
    check_routes(config, errors);
    check_control(config, errors);
    check_tracking(config, errors);
    check_host(config, errors);
    check_far_routes(config, errors);
    check_table_size(config, errors);
    check_shards(config, errors);
}

namespace {

// The same namespace, as far as the text tells.
std::string plain_netns(const std::string& netns) {
    for (const std::string_view folder : {"/run/netns/", "/var/run/netns/"}) {
        if (netns.starts_with(folder)) {
            return netns.substr(folder.size());
        }
    }
    constexpr std::string_view kPrefix = "pid:";
    if (netns.starts_with(kPrefix)) {
        return "/proc/" + netns.substr(kPrefix.size()) + "/ns/net";
    }
    return netns;
}

void check_names(const Config& config, ConfigErrors& errors) {
    std::unordered_map<std::string_view, const InterfaceConfig*> names;
    std::map<std::pair<std::string, std::string>, const InterfaceConfig*> devices;
    for (const InterfaceConfig& later : config.interfaces) {
        const InterfaceConfig* same_name = nullptr;
        if (!later.name.empty()) {
            same_name = names.emplace(later.name, &later).first->second;
        }
        if (same_name != nullptr && same_name != &later) {
            errors.push_back({later.where, "interface name \"" + later.name +
                                               "\" is used twice, first in line " +
                                               std::to_string(same_name->where.line)});
        }
        if (later.device.empty()) {
            continue;
        }
        const InterfaceConfig* same_device =
            devices.emplace(std::pair(plain_netns(later.netns), later.device), &later)
                .first->second;
        if (same_device != &later && same_device != same_name) {
            errors.push_back(
                {later.device_where, "device \"" + later.device +
                                         "\" is used twice in the same namespace, first "
                                         "in line " +
                                         std::to_string(same_device->device_where.line)});
        }
    }
    if (config.interfaces.empty()) {
        errors.push_back({{config.path, 0, 0}, "no [[interface]]: a router needs at least one"});
    }
}

// kernel: IPV6_MIN_MTU
void check_mtu(const InterfaceConfig& interface, ConfigErrors& errors) {
    for (const auto* list : {&interface.addresses, &interface.host_addresses}) {
        for (const Located<Prefix>& address : *list) {
            if (address.value.address.is_v6() && interface.mtu < 1280) {
                errors.push_back({address.where, "IPv6 needs an mtu of 1280 or more; interface \"" +
                                                     interface.name + "\" has " +
                                                     std::to_string(interface.mtu)});
            }
        }
    }
}

constexpr const char* kOwnAddress = " is the namespace's own address";

// What is wrong with a gateway in the namespace of `interface`; empty: nothing.
std::string wrong_gateway(const InterfaceConfig& interface, const IpAddress& gateway) {
    bool on_link = false;
    for (const Located<Prefix>& host : interface.host_addresses) {
        if (host.value.address == gateway) {
            return kOwnAddress;
        }
        if (host.value.has_broadcast(gateway)) {
            return " is the broadcast address of its network";
        }
        on_link = on_link || host.value.contains(gateway);
    }
    if (!on_link) {
        return " is not on-link: it is in no network of host.address";
    }
    return {};
}

void check_host_routes(const InterfaceConfig& interface, ConfigErrors& errors) {
    for (const HostRoute& route : interface.host_routes) {
        std::optional<IpAddress> gateway = route.via;
        std::string what = "gateway ";
        for (const Located<Prefix>& address : interface.addresses) {
            if (!gateway && address.value.address.family == route.to.address.family) {
                gateway = address.value.address;
                what = "the router's address ";
            }
        }
        if (!gateway) {
            errors.push_back({route.where,
                              "a route through the router needs an address of its "
                              "family on interface \"" +
                                  interface.name + "\""});
            continue;
        }
        const std::string wrong = wrong_gateway(interface, *gateway);
        // That the router and the namespace have one address has been said already.
        const bool said = !route.via && wrong == kOwnAddress;
        if (!wrong.empty() && !said) {
            errors.push_back({route.where, what + to_string(*gateway) + wrong});
        }
    }
}

void check_control(const Config& config, ConfigErrors& errors) {
    const std::optional<IpAddress> address = parse_address(config.control.address);
    if (address && !address->is_loopback() && config.control.token.empty()) {
        errors.push_back(
            {config.control.where,
             "listen " + config.control.address +
                 " is not a loopback address: that needs token = \"...\" in [control]"});
    }
}

void check_tracking(const Config& config, ConfigErrors& errors) {
    if (config.conntrack.mode != TrackingMode::Off) {
        return;
    }
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const std::string rule = rules::needs_tracking(config.ruleset, family);
        if (!rule.empty()) {
            errors.push_back({config.conntrack.where,
                              "mode must be \"auto\" or \"on\", not \"off\": a rule needs "
                              "connection tracking (" +
                                  rule + ")"});
            return;
        }
    }
}

// What [host] makes has names, too.
void check_host(const Config& config, ConfigErrors& errors) {
    if (config.host_netns.empty()) {
        return;
    }
    for (const InterfaceConfig& interface : config.interfaces) {
        if (interface.name == kHostInterface) {
            errors.push_back({interface.where, "name \"" + interface.name +
                                                   "\" is taken by [host]: choose another"});
        }
        if (interface.device == kHostDevice &&
            plain_netns(interface.netns) == plain_netns(config.host_netns)) {
            errors.push_back({interface.device_where, "device \"" + interface.device +
                                                          "\" is taken by [host] in the "
                                                          "namespace \"" +
                                                          interface.netns + "\": choose another"});
        }
    }
}

bool has_addresses(const Config& config, Family family) {
    return std::any_of(config.interfaces.begin(), config.interfaces.end(), [&](const auto& link) {
        return std::any_of(link.addresses.begin(), link.addresses.end(), [&](const auto& address) {
            return address.value.address.family == family;
        });
    });
}

// A namespace takes one route to a destination, whichever interfaces are in it.
void check_far_routes(const Config& config, ConfigErrors& errors) {
    std::map<std::pair<std::string, Network>, std::string> known;  // and whose it is
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        if (!config.host_netns.empty() && has_addresses(config, family)) {
            known.emplace(
                std::pair(plain_netns(config.host_netns), key_of(Prefix{{{}, family}, 0})),
                "[host]");
        }
    }
    for (const InterfaceConfig& interface : config.interfaces) {
        for (const HostRoute& route : interface.host_routes) {
            const auto [same, is_new] =
                known.emplace(std::pair(plain_netns(interface.netns), key_of(route.to)),
                              "line " + std::to_string(route.where.line));
            if (!is_new) {
                errors.push_back({route.where, "the namespace has a route to " +
                                                   to_string(route.to) + " already, from " +
                                                   same->second});
            }
        }
    }
}

// One value under two names.
void check_table_size(const Config& config, ConfigErrors& errors) {
    const auto named = [&](std::string_view name) {
        return std::find_if(config.sysctls.begin(), config.sysctls.end(),
                            [&](const SysctlConfig& setting) { return setting.name == name; });
    };
    const auto one = named("net.nf_conntrack_max");
    const auto other = named("net.netfilter.nf_conntrack_max");
    if (one == config.sysctls.end() || other == config.sysctls.end() ||
        one->value == other->value || one->where.file != config.path ||
        other->where.file != config.path) {
        return;
    }
    const auto& [earlier, later] =
        one->where.line < other->where.line ? std::pair(*one, *other) : std::pair(*other, *one);
    errors.push_back({later.where, later.name + " and " + earlier.name +
                                       " are one value: it cannot be " + later.value + " and " +
                                       earlier.value + " (line " +
                                       std::to_string(earlier.where.line) + ")"});
}

}  // namespace
}  // namespace nsr::router
