#include "router/topology/plan.hpp"

#include <algorithm>

namespace nsr::router {
namespace {

using Kind = Operation::Kind;
using Operations = std::vector<Operation>;

Operation operation(Kind kind, const std::string& netns, const std::string& device = {}) {
    Operation result;
    result.kind = kind;
    result.netns = netns;
    result.device = device;
    return result;
}

void plan_namespace(Operations& plan, const std::string& netns) {
    if (!netns.empty()) {
        plan.push_back(operation(Kind::Namespace, netns));
        plan.push_back(operation(Kind::LoopbackUp, netns));
    }
}

// The namespace passes packets on, too. For the current one it must be known who asked for it.
void plan_forwarding(Operations& plan, const std::string& netns) {
    if (netns.empty()) {
        plan.push_back(operation(Kind::Namespace, netns));
    }
    for (const char* name : {"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"}) {
        Operation set = operation(Kind::Setting, netns);
        set.setting = name;
        set.value = "1";
        plan.push_back(set);
    }
}

void plan_device(Operations& plan, const std::string& netns, const std::string& device,
                 std::uint32_t mtu) {
    Operation set_mtu = operation(Kind::Mtu, netns, device);
    set_mtu.mtu = mtu;
    plan.push_back(set_mtu);
}

void plan_address(Operations& plan, const std::string& netns, const std::string& device,
                  const Prefix& prefix) {
    Operation add = operation(Kind::Address, netns, device);
    add.prefix = prefix;
    plan.push_back(add);
}

void plan_route(Operations& plan, const Operation& device, const Prefix& to,
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

void plan_interface(Operations& plan, const InterfaceConfig& interface, const Config& config) {
    plan_namespace(plan, interface.netns);
    if (interface.host_forwarding) {
        plan_forwarding(plan, interface.netns);
    }
    Operation tun = operation(Kind::Tun, interface.netns, interface.device);
    tun.offload = config.offload;
    tun.queues = config.shards;
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
void plan_host(Operations& plan, const Config& config) {
    plan_namespace(plan, config.host_netns);
    Operation tun = operation(Kind::Tun, config.host_netns, kHostDevice);
    tun.offload = config.offload;
    tun.queues = config.shards;
    plan.push_back(tun);
    plan.push_back(operation(Kind::Up, config.host_netns, kHostDevice));
}

}  // namespace

Plan plan_for(const Config& config) {
    Plan plan;
    for (const InterfaceConfig& interface : config.interfaces) {
        plan.push_back({interface.name, {}});
        plan_interface(plan.back().operations, interface, config);
    }
    if (!config.host_netns.empty()) {
        plan.push_back({kHostInterface, {}});
        plan_host(plan.back().operations, config);
    }
    if (!config.control.netns.empty()) {
        plan.push_back({"[control]", {}});
        plan_namespace(plan.back().operations, config.control.netns);
    }
    return plan;
}

}  // namespace nsr::router
