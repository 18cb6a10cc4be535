#include "core/routing/route_table.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace nsr::routing {

namespace {

constexpr unsigned kLongestWithBroadcast = 30;       // RFC 3021: a /31 has no broadcast
constexpr unsigned kLongestWithRouterAnycast = 126;  // RFC 6164: a /127 has no router anycast

bool matches(const Route& route, const Route& wanted);
Destination kind_of(RouteType type);

// What makes a route another one. kernel: fib_find_alias, fib6_add_rt2node
auto identity(const Route& route) {
    return std::tuple(route.table, route.to.address, route.to.length, route.tos,
                      effective_metric(route));
}

}  // namespace

RouteTable::RouteTable(const InterfaceTable& interfaces, SipKey key)
    : interfaces_(interfaces), key_(key) {
    rebuild();
}

// --- changes of routes --------------------------------------------------------------------------

RouteChange RouteTable::add(const Route& route) {
    return find_same(route) != routes_.end() ? RouteChange::Exists : insert_new(route);
}

RouteChange RouteTable::replace(const Route& route) {
    return put(route, find_same(route) != routes_.end());
}

RouteChange RouteTable::change(const Route& route) {
    const bool exists = find_same(route) != routes_.end();
    return exists ? put(route, true) : RouteChange::Missing;
}

RouteChange RouteTable::append(const Route& route) {
    const auto same = find_same(route);
    if (same == routes_.end()) {
        return insert_new(route);
    }
    const bool joins = route.to.address.is_v6() && route.via && (same->via || !same->hops.empty());
    if (joins) {
        return join(*same, route);
    }
    Route resolved = route;
    const RouteChange possible = resolve_in_place(resolved);
    const bool exists = std::find(routes_.begin(), routes_.end(), resolved) != routes_.end();
    return possible == RouteChange::Done && exists ? RouteChange::Exists : insert_new(route);
}

// kernel: fib_table_insert, fib6_add_rt2node
RouteChange RouteTable::put(Route route, bool instead) {
    if (!instead) {
        return insert_new(std::move(route));
    }
    const auto same = find_same(route);
    if (const RouteChange possible = resolve_in_place(route); possible != RouteChange::Done) {
        return possible;
    }
    const auto equal = std::find(routes_.begin(), routes_.end(), route);
    if (equal != routes_.end() && equal != same) {
        return RouteChange::Exists;
    }
    *same = std::move(route);
    rebuild();
    return RouteChange::Done;
}

// kernel: rt6_qualify_for_ecmp
RouteChange RouteTable::join(Route& existing, const Route& route) {
    Route more = existing;
    if (more.hops.empty()) {
        more.hops.push_back({more.via, more.interface, 1, more.onlink});
    }
    more.hops.push_back({route.via, route.interface, 1, route.onlink});
    more.via.reset();
    more.interface = IfIndex::None;
    const RouteChange possible = resolve_in_place(more);
    if (possible == RouteChange::Done) {
        existing = std::move(more);
        rebuild();
    }
    return possible;
}

std::vector<Route>::iterator RouteTable::find_same(const Route& route) {
    Route key = route;
    key.to = key.to.network();
    return std::find_if(routes_.begin(), routes_.end(),
                        [&](const Route& each) { return identity(each) == identity(key); });
}

bool RouteTable::is_connected(const Route& route) const {
    return std::any_of(connected_.begin(), connected_.end(),
                       [&](const Route& each) { return identity(each) == identity(route); });
}

// kernel: fib_table_delete, ip6_route_del
bool RouteTable::remove(const Route& wanted) {
    auto best = routes_.end();
    for (auto at = routes_.begin(); at != routes_.end(); ++at) {
        const bool earlier = best == routes_.end() || at->tos > best->tos ||
                             (at->tos == best->tos && at->metric < best->metric);
        best = matches(*at, wanted) && earlier ? at : best;
    }
    if (best == routes_.end()) {
        return withdraw(wanted);
    }
    routes_.erase(best);
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
    std::set<decltype(identity(Route{}))> known;  // a search in routes_ would be slow
    for (std::size_t i = 0; i < routes.size(); ++i) {
        Route route = routes[i];
        route.to = route.to.network();
        const bool is_new = known.insert(identity(route)).second;
        const RouteChange change = is_new ? insert_new(std::move(route)) : RouteChange::Exists;
        if (change != RouteChange::Done) {
            routes_ = std::move(before);
            rebuild();
            return RouteRefusal{i, change};
        }
    }
    return Done{};
}

// Precondition: no configured route is the same, unless it is to come behind that.
RouteChange RouteTable::insert_new(Route route) {
    if (const RouteChange possible = resolve_in_place(route); possible != RouteChange::Done) {
        return possible;
    }
    if (is_connected(route)) {
        return RouteChange::Exists;
    }
    const bool first_of_table = find_table(route.table) == nullptr;
    routes_.push_back(std::move(route));
    index_route(routes_.back());
    if (first_of_table) {
        follow_rules();
    }
    return RouteChange::Done;
}

// --- what the interfaces make of them -----------------------------------------------------------

// kernel: fib_inetaddr_event: an interface without IPv4 addresses has no IPv4 routes either; IPv6
// routes stay until the link goes (fib_disable_ip, fib6_ifdown), and do not come back with it.
void RouteTable::interfaces_changed() {
    std::erase_if(routes_, [this](const Route& route) { return is_lost(route); });
    for (Route& route : routes_) {  // kernel: rt6_remove_prefsrc
        if (route.source && !is_own(*route.source)) {
            route.source.reset();
        }
    }
    std::erase_if(withdrawn_, [this](const Route& route) {
        const Interface& interface = interfaces_.get(route.interface);
        const auto& addresses = interface.addresses;
        return !interface.up ||
               std::none_of(addresses.begin(), addresses.end(),
                            [&](const Prefix& own) { return own.network() == route.to; });
    });
    rebuild();
}

// kernel: fib_sync_down_dev, fib_sync_down_addr
bool RouteTable::is_lost(const Route& route) const {
    const Family family = route.to.address.family;
    if (family == Family::Ipv4 && route.source && !is_own(*route.source)) {
        return true;
    }
    if (route.hops.empty()) {
        return route.type == RouteType::Unicast && !usable(route.interface, family);
    }
    const auto& hops = route.hops;
    return std::any_of(hops.begin(), hops.end(),
                       [&](const NextHop& hop) { return !interfaces_.has(hop.interface); }) ||
           std::none_of(hops.begin(), hops.end(),
                        [&](const NextHop& hop) { return usable(hop.interface, family); });
}

bool RouteTable::usable(IfIndex index, Family family) const {
    if (!interfaces_.has(index) || !interfaces_.get(index).up) {
        return false;
    }
    const auto& addresses = interfaces_.get(index).addresses;
    return family == Family::Ipv6
               ? !interfaces_.get(index).ipv6_disabled
               : std::any_of(addresses.begin(), addresses.end(),
                             [](const Prefix& own) { return own.address.is_v4(); });
}

bool RouteTable::is_own(const IpAddress& address) const {
    return interfaces_.is_own(address);
}

bool RouteTable::is_own_ipv4(const IpAddress& address) const {
    return std::binary_search(own_ipv4_.begin(), own_ipv4_.end(), address.as_v4());
}

// --- the indices --------------------------------------------------------------------------------

void RouteTable::rebuild() {
    main_.clear();
    local_.clear();
    others_.clear();
    connected_.clear();
    own_ipv4_.clear();
    shares_out_ = {false, false};
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
    follow_rules();
}

// kernel: fib_add_ifaddr, addrconf_prefix_route, addrconf_join_anycast
void RouteTable::index_connected(const Prefix& own, IfIndex interface) {
    const IpAddress& address = own.address;
    if (address.is_v4() && own.length <= kLongestWithBroadcast) {
        index_local({own.last(), 32}, Destination::Broadcast);
    }
    if (address.is_v6() && own.length <= kLongestWithRouterAnycast &&
        interfaces_.get(interface).ipv6_router) {
        index_local({own.network().address, 128}, Destination::Local);
    }
    const bool withdrawn =
        std::any_of(withdrawn_.begin(), withdrawn_.end(), [&](const Route& route) {
            return route.to == own.network() && route.interface == interface;
        });
    if (own.length < address.bits() && !withdrawn) {
        connected_.push_back({.to = own.network(),
                              .interface = interface,
                              .metric = address.is_v6() ? kIpv6ConnectedMetric : 0});
        index_route(connected_.back());
    }
}

void RouteTable::index_local(const Prefix& host, Destination kind) {
    Target target;
    target.decision.kind = kind;
    target.decision.table = kLocalTable;
    target.own = true;
    main_.insert(host, target, {});
    local_.insert(host, target, {});
}

void RouteTable::index_route(const Route& route) {
    Target target;
    target.decision.kind = kind_of(route.type);
    target.decision.source = route.source.value_or(IpAddress{});
    target.decision.mtu = route.mtu;
    target.decision.mtu_locked = route.mtu_locked;
    target.decision.table = route.table;
    target.throws = route.type == RouteType::Throw;
    target.tos = route.tos;
    target.metric = effective_metric(route);
    if (route.type == RouteType::Unicast && route.hops.empty()) {
        target.decision.out = route.interface;
        target.decision.next_hop = route.via.value_or(IpAddress{});
        target.direct = !route.via.has_value();
    }
    shares_out_[index_of(route.to.address.family)] |= !route.hops.empty();
    RouteIndex& table = route.table == kMainTable ? main_ : others_[route.table];
    table.insert(route.to, target, hops_of(route));
}

std::vector<Hop> RouteTable::hops_of(const Route& route) const {
    std::vector<Hop> hops;
    const Family family = route.to.address.family;
    for (const NextHop& from : route.hops) {
        Hop& hop = hops.emplace_back();
        hop.out = from.interface;
        hop.next_hop = from.via.value_or(IpAddress{});
        hop.direct = !from.via.has_value();
        hop.alive = usable(from.interface, family);
        hop.weight = from.weight;
        if (family == Family::Ipv4 && hop.alive) {  // kernel: fib_info_update_nhc_saddr
            hop.source = interfaces_.source_for(from.interface, hop.next_hop).value_or(IpAddress{});
        }
    }
    // kernel: RTNH_F_DEAD is of links that are down or have lost their last address; those that
    // never had one are as good as others.
    if (std::none_of(hops.begin(), hops.end(), [](const Hop& hop) { return hop.alive; })) {
        for (Hop& hop : hops) {
            hop.alive = interfaces_.get(hop.out).up;
        }
    }
    return hops;
}

namespace {

// What is not said matches any, and a plain destination whatever route has it, as `ip route del
// PREFIX` does.
bool matches(const Route& route, const Route& wanted) {
    const bool plain = wanted.type == RouteType::Unicast && !wanted.via &&
                       wanted.interface == IfIndex::None && wanted.hops.empty();
    const auto& hops = route.hops;
    const auto leads = [&](const NextHop& hop) {
        return (!wanted.via || hop.via == wanted.via) &&
               (wanted.interface == IfIndex::None || hop.interface == wanted.interface);
    };
    const bool same_way = hops.empty() ? leads({route.via, route.interface})
                                       : std::any_of(hops.begin(), hops.end(), leads);
    return route.table == wanted.table && route.to == wanted.to.network() &&
           (plain || route.type == wanted.type) &&
           (wanted.metric == 0 || effective_metric(route) == wanted.metric) &&
           (wanted.tos == 0 || route.tos == wanted.tos) &&
           (!wanted.source || route.source == wanted.source) && same_way &&
           (wanted.hops.empty() || hops.size() == wanted.hops.size());
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

}  // namespace

}  // namespace nsr::routing
