// Whether a route is possible, and the interface it leaves by. kernel: fib_create_info,
// fib_check_nh, ip6_route_info_create
#include <algorithm>

#include "core/routing/route_table.hpp"

namespace nsr::routing {

// Fills in where the route leaves, and what is left to the kernel.
RouteChange RouteTable::resolve_in_place(Route& route) const {
    route.to = route.to.network();
    route.metric = effective_metric(route);
    if (route.source &&
        (route.source->family != route.to.address.family || !is_own(*route.source))) {
        return RouteChange::BadSource;
    }
    if (route.type != RouteType::Unicast) {
        return RouteChange::Done;
    }
    for (NextHop& hop : route.hops) {
        hop.interface = resolve(route, hop);
        if (hop.interface == IfIndex::None) {
            return RouteChange::Unreachable;
        }
    }
    if (route.hops.empty()) {
        route.interface = resolve(route, {route.via, route.interface, 1, route.onlink});
        if (route.interface == IfIndex::None) {
            return RouteChange::Unreachable;
        }
    }
    return RouteChange::Done;
}

// The interface through which it leaves; None if it cannot. kernel: fib_check_nh
IfIndex RouteTable::resolve(const Route& route, const NextHop& hop) const {
    const Family family = route.to.address.family;
    if (hop.interface != IfIndex::None &&
        (!interfaces_.get(hop.interface).up ||
         (family == Family::Ipv6 && interfaces_.get(hop.interface).ipv6_disabled))) {
        return IfIndex::None;
    }
    if (!hop.via) {
        return hop.interface;
    }
    const IpAddress& gateway = *hop.via;
    if (gateway.family != family || gateway.is_multicast()) {
        return IfIndex::None;
    }
    if (hop.onlink || (gateway.is_v6() && gateway.is_link_local())) {
        return hop.interface;
    }
    return owner_of_gateway(route, hop);
}

// The table of the route itself comes first, for networks that only it knows. kernel:
// fib_check_nh_v4_gw
IfIndex RouteTable::owner_of_gateway(const Route& route, const NextHop& hop) const {
    const IpAddress& gateway = *hop.via;
    const bool any = hop.interface == IfIndex::None;
    const Flow flow{.destination = gateway};
    for (const RouteIndex* table : {find_table(route.table), &main_}) {
        const Target* found =
            table == nullptr ? nullptr : table->find(flow, RouteIndex::Own::Counts);
        if (found != nullptr && found->decision.kind == Destination::Local) {
            return IfIndex::None;
        }
        if (found != nullptr && found->direct && (any || found->decision.out == hop.interface)) {
            return found->decision.out;
        }
    }
    const auto connected = std::find_if(connected_.begin(), connected_.end(), [&](const Route& r) {
        return r.to.contains(gateway) && (any || r.interface == hop.interface);
    });
    return connected == connected_.end() ? IfIndex::None : connected->interface;
}

}  // namespace nsr::routing
