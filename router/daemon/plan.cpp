#include "router/daemon/plan.hpp"

#include <algorithm>

namespace nsr::router {
namespace {

using Kind = Operation::Kind;

Operation operation(Kind kind, const std::string& netns, const std::string& device = {}) {
    Operation result;
    result.kind = kind;
    result.netns = netns;
    result.device = device;
    return result;
}

void plan_namespace(Plan& plan, const std::string& netns) {
    const auto same = [&](const Operation& o) {
        return o.kind == Kind::Namespace && o.netns == netns;
    };
    if (netns.empty() || std::any_of(plan.begin(), plan.end(), same)) {
        return;
    }
    plan.push_back(operation(Kind::Namespace, netns));
    plan.push_back(operation(Kind::LoopbackUp, netns));
}

void plan_device(Plan& plan, const std::string& netns, const std::string& device,
                 std::uint32_t mtu) {
    Operation set_mtu = operation(Kind::Mtu, netns, device);
    set_mtu.mtu = mtu;
    plan.push_back(set_mtu);
}

void plan_address(Plan& plan, const std::string& netns, const std::string& device,
                  const Prefix& prefix) {
    Operation add = operation(Kind::Address, netns, device);
    add.prefix = prefix;
    plan.push_back(add);
}

void plan_route(Plan& plan, const Operation& device, const Prefix& to,
                std::optional<IpAddress> via) {
    Operation add = operation(Kind::Route, device.netns, device.device);
    add.prefix = to;
    add.via = via;
    plan.push_back(add);
}

std::optional<IpAddress> router_address(const InterfaceConfig& interface, Family family) {
    for (const auto& address : interface.addresses) {
        if (address.value.address.family == family) {
            return address.value.address;
        }
    }
    return std::nullopt;
}

void plan_interface(Plan& plan, const InterfaceConfig& interface, bool offload) {
    plan_namespace(plan, interface.netns);
    Operation tun = operation(Kind::Tun, interface.netns, interface.device);
    tun.offload = offload;
    plan.push_back(tun);
    plan_device(plan, interface.netns, interface.device, interface.mtu);
    for (const auto& address : interface.host_addresses) {
        plan_address(plan, interface.netns, interface.device, address.value);
    }
    plan.push_back(operation(Kind::Up, interface.netns, interface.device));
    for (const HostRoute& route : interface.host_routes) {
        const auto via = route.via ? route.via : router_address(interface, route.to.address.family);
        plan_route(plan, tun, route.to, via);
    }
}

// Real sockets "on the router": every packet leaves through the device. Its addresses and routes
// are HostNamespace's.
void plan_host(Plan& plan, const Config& config) {
    plan_namespace(plan, config.host_netns);
    Operation tun = operation(Kind::Tun, config.host_netns, kHostDevice);
    tun.offload = config.offload;
    plan.push_back(tun);
    plan.push_back(operation(Kind::Up, config.host_netns, kHostDevice));
}

}  // namespace

Plan plan_for(const Config& config) {
    Plan plan;
    for (const InterfaceConfig& interface : config.interfaces) {
        plan_interface(plan, interface, config.offload);
    }
    if (!config.host_netns.empty()) {
        plan_host(plan, config);
    }
    plan_namespace(plan, config.control.netns);
    return plan;
}

std::string in_words(const Operation& operation) {
    const std::string where =
        operation.netns.empty() ? std::string() : " in namespace " + operation.netns;
    switch (operation.kind) {
        case Kind::Namespace:
            return "namespace " + operation.netns;
        case Kind::LoopbackUp:
            return "lo up" + where;
        case Kind::Tun:
            return "TUN device " + operation.device + where;
        case Kind::Mtu:
            return "MTU " + std::to_string(operation.mtu) + " of " + operation.device + where;
        case Kind::Address:
            return "address " + to_string(operation.prefix) + " on " + operation.device + where;
        case Kind::Up:
            return operation.device + " up" + where;
        case Kind::Route:
            return "route " + to_string(operation.prefix) +
                   (operation.via ? " via " + to_string(*operation.via) : std::string()) + " dev " +
                   operation.device + where;
    }
    return {};
}

}  // namespace nsr::router
