// The Router's interfaces, addresses, routes and routing rules.
#include <algorithm>
#include <utility>

#include "core/pipeline/router.hpp"
#include "core/pipeline/state.hpp"

namespace nsr {

IfIndex Router::add_interface(routing::Interface interface, BindRules when) {
    pipeline::State& state = *state_;
    const IfIndex index = state.interfaces.add(std::move(interface));
    state.interface_came(index);
    state.routes.interfaces_changed();
    if (when == BindRules::Now) {
        state.bind_rules_again();
    }
    return index;
}

// kernel: unregister_netdevice
void Router::remove_interface(IfIndex interface, Instant now) {
    pipeline::State& state = *state_;
    set_up(interface, false, now);
    const auto lost = state.defrag.forget(interface);
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        state.count_lost(family, DropReason::InterfaceDown, interface, lost[index_of(family)]);
    }
    state.interfaces.remove(interface);
    state.routes.interfaces_changed();
}

bool Router::add_address(IfIndex interface, const Prefix& address) {
    routing::Interface& changed = state_->interfaces.get(interface);
    std::vector<Prefix> addresses = routing::all_addresses(changed);
    if (std::find(addresses.begin(), addresses.end(), address) != addresses.end()) {
        return false;
    }
    addresses.push_back(address);
    state_->set_addresses(changed, addresses);
    return true;
}

bool Router::remove_address(IfIndex interface, const Prefix& address, Instant now) {
    const std::vector<Prefix> removed =
        routing::remove_address(state_->interfaces.get(interface), address);
    if (removed.empty()) {
        return false;
    }
    state_->routes.interfaces_changed();
    for (const Prefix& each : removed) {
        state_->nat.address_removed(each.address, interface, now);
    }
    return true;
}

void Router::set_addresses(IfIndex interface, const std::vector<Prefix>& addresses, Instant now) {
    routing::Interface& changed = state_->interfaces.get(interface);
    const std::vector<Prefix> before = routing::all_addresses(changed);
    state_->set_addresses(changed, addresses);
    for (const Prefix& each : before) {
        if (std::find(addresses.begin(), addresses.end(), each) == addresses.end()) {
            state_->nat.address_removed(each.address, interface, now);
        }
    }
}

void Router::set_mtu(IfIndex interface, std::uint32_t mtu) {
    state_->interfaces.get(interface).mtu = mtu;
}

void Router::set_capabilities(IfIndex interface, const routing::LinkCapabilities& capabilities) {
    state_->interfaces.get(interface).capabilities = capabilities;
}

// kernel: fib_netdev_event, masq_device_event. differs: link-down-keeps-ipv6
void Router::set_up(IfIndex interface, bool up, Instant now) {
    if (std::exchange(state_->interfaces.get(interface).up, up) == up) {
        return;
    }
    state_->routes.interfaces_changed();
    if (!up) {
        state_->nat.interface_down(interface, now);
    }
    if (interface == state_->interfaces.host()) {
        state_->groups = {};  // its sockets join anew, or are gone
    }
}

void Router::ingress_failed(IfIndex interface, DropReason reason) {
    ++state_->interfaces.get(interface).counters.rx_dropped;
    state_->count_lost(Family::None, reason, interface);
}

void Router::egress_failed(IfIndex interface, DropReason reason) {
    ++state_->interfaces.get(interface).counters.tx_dropped;
    state_->count_lost(Family::None, reason, interface);
}

routing::RouteChange Router::add_route(const routing::Route& route) {
    return state_->routes.add(route);
}

routing::RouteChange Router::append_route(const routing::Route& route) {
    return state_->routes.append(route);
}

routing::RouteChange Router::change_route(const routing::Route& route) {
    return state_->routes.change(route);
}

routing::RouteChange Router::replace_route(const routing::Route& route) {
    return state_->routes.replace(route);
}

bool Router::remove_route(const routing::Route& route) {
    return state_->routes.remove(route);
}

Result<Done, routing::RouteRefusal> Router::set_routes(const std::vector<routing::Route>& routes) {
    return state_->routes.assign(routes);
}

routing::RuleChange Router::add_policy_rule(const routing::PolicyRule& rule,
                                            std::optional<std::uint32_t> priority) {
    return state_->routes.add_rule(rule, priority);
}

routing::RuleChange Router::remove_policy_rule(const routing::RuleQuery& query) {
    return state_->routes.remove_rule(query);
}

void Router::flush_policy_rules(Family family) {
    state_->routes.flush_rules(family);
}

void Router::set_policy_rules(const routing::RuleList& rules) {
    state_->routes.assign_rules(rules);
}

}  // namespace nsr
