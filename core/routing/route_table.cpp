#include "core/routing/route_table.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace nsr::routing {

namespace {

constexpr unsigned kLongestWithBroadcast = 30;       // RFC 3021: a /31 has no broadcast
constexpr unsigned kLongestWithRouterAnycast = 126;  // RFC 6164: a /127 has no router anycast

bool matches(const Route& route, const Route& wanted);
Destination kind_of(RouteType type);
std::optional<Destination> special(const IpAddress& destination);

}  // namespace

RouteTable::RouteTable(const InterfaceTable& interfaces) : interfaces_(interfaces) {
    rebuild();
}

RouteChange RouteTable::add(const Route& route) {
    return insert(route, false);
}

RouteChange RouteTable::replace(const Route& route) {
    return insert(route, true);
}

// kernel: fib_table_insert, fib6_add_rt2node
RouteChange RouteTable::insert(Route route, bool instead) {
    route.to = route.to.network();
    if (!resolve_in_place(route)) {
        return RouteChange::Unreachable;
    }
    const auto same = std::find_if(routes_.begin(), routes_.end(),
                                   [&](const Route& each) { return each.to == route.to; });
    if (same != routes_.end() && instead) {
        *same = route;
        rebuild();
        return RouteChange::Done;
    }
    return same != routes_.end() ? RouteChange::Exists : append(route);
}

// Where the route leaves; false: it cannot.
bool RouteTable::resolve_in_place(Route& route) const {
    if (route.type == RouteType::Unicast) {
        route.interface = resolve(route);
    }
    return route.type != RouteType::Unicast || route.interface != IfIndex::None;
}

bool RouteTable::is_connected(const Prefix& network) const {
    return std::any_of(connected_.begin(), connected_.end(),
                       [&](const Route& route) { return route.to == network; });
}

bool RouteTable::remove(const Route& route) {
    const auto at = std::find_if(routes_.begin(), routes_.end(),
                                 [&](const Route& each) { return matches(each, route); });
    if (at == routes_.end()) {
        return withdraw(route);
    }
    routes_.erase(at);
    rebuild();
    return true;
}

bool RouteTable::withdraw(const Route& route) {
    const auto at = std::find_if(connected_.begin(), connected_.end(),
                                 [&](const Route& each) { return matches(each, route); });
    if (at == connected_.end()) {
        return false;
    }
    withdrawn_.push_back(*at);
    rebuild();
    return true;
}

Result<Done, RouteRefusal> RouteTable::assign(const std::vector<Route>& routes) {
    std::vector<Route> before = std::exchange(routes_, {});
    rebuild();
    std::set<std::pair<IpAddress, std::uint8_t>> destinations;  // a search in routes_ would be slow
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const Prefix to = routes[i].to.network();
        const bool is_new = destinations.emplace(to.address, to.length).second;
        const RouteChange change = is_new ? append(routes[i]) : RouteChange::Exists;
        if (change != RouteChange::Done) {
            routes_ = std::move(before);
            rebuild();
            return RouteRefusal{i, change};
        }
    }
    return Done{};
}

// Precondition: no other route leads there, but a connected one may.
RouteChange RouteTable::append(Route route) {
    route.to = route.to.network();
    if (!resolve_in_place(route)) {
        return RouteChange::Unreachable;
    }
    if (route.to.address.is_v4() && is_connected(route.to)) {
        return RouteChange::Exists;
    }
    routes_.push_back(route);
    index_route(routes_.back());
    return RouteChange::Done;
}

// kernel: fib_inetaddr_event: an interface without IPv4 addresses has no IPv4 routes either; IPv6
// routes stay until the link goes (fib_disable_ip, fib6_ifdown), and do not come back with it.
void RouteTable::interfaces_changed() {
    std::erase_if(routes_, [this](const Route& route) {
        if (route.type != RouteType::Unicast) {
            return false;
        }
        const Interface& interface = interfaces_.get(route.interface);
        if (!interface.up || !route.to.address.is_v4()) {
            return !interface.up;
        }
        const auto& addresses = interface.addresses;
        return std::none_of(addresses.begin(), addresses.end(),
                            [](const Prefix& own) { return own.address.is_v4(); });
    });
    std::erase_if(withdrawn_, [this](const Route& route) {
        const Interface& interface = interfaces_.get(route.interface);
        const auto& addresses = interface.addresses;
        return !interface.up ||
               std::none_of(addresses.begin(), addresses.end(),
                            [&](const Prefix& own) { return own.network() == route.to; });
    });
    rebuild();
}

Decision RouteTable::lookup(const IpAddress& destination) const {
    if (const auto kind = special(destination)) {
        return {*kind, IfIndex::None, {}};
    }
    const auto found = index_.longest(destination);
    if (!found) {
        return {};
    }
    const Target& target = targets_[*found];
    if (target.decision.kind != Destination::Unicast || !target.direct) {
        return target.decision;
    }
    return {Destination::Unicast, target.decision.out, destination};
}

bool RouteTable::is_own_ipv4(const IpAddress& address) const {
    return std::binary_search(own_ipv4_.begin(), own_ipv4_.end(), address.as_v4());
}

// The interface through which the route leaves; None if it cannot. kernel: fib_check_nh
IfIndex RouteTable::resolve(const Route& route) const {
    if (route.interface != IfIndex::None && !interfaces_.get(route.interface).up) {
        return IfIndex::None;
    }
    if (!route.via) {
        return route.interface;
    }
    const IpAddress& gateway = *route.via;
    if (gateway.family != route.to.address.family || gateway.is_multicast()) {
        return IfIndex::None;
    }
    if (gateway.is_v6() && gateway.is_link_local()) {
        return route.interface;
    }
    const auto found = index_.longest(gateway);
    if (found && targets_[*found].decision.kind == Destination::Local) {
        return IfIndex::None;
    }
    const bool any = route.interface == IfIndex::None;
    if (found && targets_[*found].direct &&
        (any || targets_[*found].decision.out == route.interface)) {
        return targets_[*found].decision.out;
    }
    const auto connected = std::find_if(connected_.begin(), connected_.end(), [&](const Route& r) {
        return r.to.contains(gateway) && (any || r.interface == route.interface);
    });
    return connected == connected_.end() ? IfIndex::None : connected->interface;
}

void RouteTable::rebuild() {
    index_.clear();
    targets_.clear();
    connected_.clear();
    own_ipv4_.clear();
    // The kernel asks the local table first: what is ours is inserted before anything else.
    for (const Interface& interface : interfaces_.all()) {
        for (const Prefix& own : interface.addresses) {
            index_local({own.address, static_cast<std::uint8_t>(own.address.bits())},
                        Destination::Local);
            if (own.address.is_v4()) {
                own_ipv4_.push_back(own.address.as_v4());
            }
        }
    }
    std::sort(own_ipv4_.begin(), own_ipv4_.end());
    for (const Interface& interface : interfaces_.all()) {
        for (std::size_t i = 0; interface.up && i < interface.addresses.size(); ++i) {
            const Prefix& own = interface.addresses[i];
            index_connected(own, interface.index);
        }
    }
    for (const Route& route : routes_) {
        index_route(route);
    }
}

// kernel: fib_add_ifaddr, addrconf_prefix_route, addrconf_join_anycast
void RouteTable::index_connected(const Prefix& own, IfIndex interface) {
    const IpAddress& address = own.address;
    if (address.is_v4() && own.length <= kLongestWithBroadcast) {
        index_local({own.last(), 32}, Destination::Broadcast);
    }
    if (address.is_v6() && own.length <= kLongestWithRouterAnycast) {
        index_local({own.network().address, 128}, Destination::Local);
    }
    const bool withdrawn =
        std::any_of(withdrawn_.begin(), withdrawn_.end(), [&](const Route& route) {
            return route.to == own.network() && route.interface == interface;
        });
    if (own.length < address.bits() && !withdrawn) {
        connected_.push_back({own.network(), std::nullopt, interface, RouteType::Unicast});
        index_route(connected_.back());
    }
}

void RouteTable::index_local(const Prefix& host, Destination kind) {
    targets_.push_back({{kind, IfIndex::None, {}}, false});
    index_.insert(host, static_cast<std::uint32_t>(targets_.size() - 1));
}

void RouteTable::index_route(const Route& route) {
    Target target{{kind_of(route.type), IfIndex::None, {}}, false};
    if (route.type == RouteType::Unicast) {
        target.decision.out = route.interface;
        target.decision.next_hop = route.via.value_or(IpAddress{});
        target.direct = !route.via.has_value();
    }
    targets_.push_back(target);
    index_.insert(route.to, static_cast<std::uint32_t>(targets_.size() - 1));
}

namespace {

// A plain destination deletes whatever route has it, as `ip route del PREFIX` does.
bool matches(const Route& route, const Route& wanted) {
    const bool plain =
        wanted.type == RouteType::Unicast && !wanted.via && wanted.interface == IfIndex::None;
    return route.to == wanted.to.network() && (plain || route.type == wanted.type) &&
           (!wanted.via || route.via == wanted.via) &&
           (wanted.interface == IfIndex::None || route.interface == wanted.interface);
}

Destination kind_of(RouteType type) {
    switch (type) {
        case RouteType::Unicast:
            return Destination::Unicast;
        case RouteType::Blackhole:
            return Destination::Blackhole;
        case RouteType::Prohibit:
            return Destination::Prohibit;
        case RouteType::Unreachable:
            return Destination::Unreachable;
        case RouteType::Throw:
            break;
    }
    return Destination::None;
}

// What no route decides.
std::optional<Destination> special(const IpAddress& destination) {
    if (destination.is_multicast()) {
        return Destination::Multicast;
    }
    if (destination.is_limited_broadcast()) {
        return Destination::Broadcast;
    }
    if (destination.is_loopback()) {
        return Destination::Local;
    }
    return std::nullopt;
}

}  // namespace

}  // namespace nsr::routing
