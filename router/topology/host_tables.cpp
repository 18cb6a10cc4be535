#include "router/topology/host_tables.hpp"

#include <algorithm>
#include <tuple>

#include "core/local/loopback_alias.hpp"
#include "router/config/config.hpp"

namespace nsr::router {
namespace {

using routing::RouteType;

std::uint8_t kernel_type(RouteType type) {
    switch (type) {
        case RouteType::Unicast:
            break;
        case RouteType::Blackhole:
            return RTN_BLACKHOLE;
        case RouteType::Prohibit:
            return RTN_PROHIBIT;
        case RouteType::Unreachable:
            return RTN_UNREACHABLE;
        case RouteType::Throw:
            return RTN_THROW;
    }
    return RTN_UNICAST;
}

netlink::Route own_address(const IpAddress& address) {
    netlink::Route route;
    route.to = Prefix{address, static_cast<std::uint8_t>(address.bits())};
    route.device = kHostDevice;
    route.table = kOwnAddressTable;
    route.source = address;
    route.protocol = kRouteProtocol;
    return route;
}

void add_own(const Prefix& own, HostTables& tables) {
    tables.addresses.push_back(own);
    tables.routes.push_back(own_address(own.address));
}

// A connected route takes the address that it comes from; another that of its gateway's network.
std::optional<IpAddress> source_of(const routing::Route& route,
                                   const routing::InterfaceTable& interfaces) {
    for (const Prefix& own : interfaces.get(route.interface).addresses) {
        if (!route.via && own.network() == route.to) {
            return own.address;
        }
    }
    const bool by_gateway = route.via && route.to.address.is_v4();
    return interfaces.source_for(route.interface, by_gateway ? *route.via : route.to.address);
}

netlink::Route mirrored(const routing::Route& route, const routing::InterfaceTable& interfaces) {
    netlink::Route result;
    result.to = route.to;
    result.protocol = kRouteProtocol;
    result.type = kernel_type(route.type);
    if (route.type == RouteType::Unicast && route.hops.empty()) {
        result.device = kHostDevice;
        result.source = route.source ? route.source : source_of(route, interfaces);
        result.mtu = route.mtu != 0 ? route.mtu : interfaces.get(route.interface).mtu;
    }
    return result;
}

// As the rules decide about what begins here, which may be another route than the one that gave
// the destination.
netlink::Route as_decided(const routing::Route& route, const routing::InterfaceTable& interfaces,
                          const routing::RouteTable& routes) {
    const routing::Decision decision = routes.lookup(route.to.address);
    if (decision.kind != routing::Destination::Unicast) {
        return mirrored(route, interfaces);
    }
    routing::Route taken;
    taken.to = route.to;
    taken.interface = decision.out;
    taken.mtu = decision.mtu;
    if (decision.next_hop != route.to.address) {
        taken.via = decision.next_hop;
    }
    if (decision.source.family != Family::None) {
        taken.source = decision.source;
    }
    return mirrored(taken, interfaces);
}

// The main table's; with rules of an administrator's those of every table, main first.
std::vector<routing::Route> candidates(const routing::RouteTable& routes) {
    std::vector<routing::Route> all = routes.connected();
    for (const routing::Route& route : routes.configured()) {
        const bool main =
            route.table == routing::kMainTable || route.table == routing::kDefaultTable;
        const bool asked = main || routes.has_custom_rules(route.to.address.family);
        if (asked && route.tos == 0) {
            all.push_back(route);
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const routing::Route& a, const routing::Route& b) {
        const auto key = [](const routing::Route& route) {
            return std::tuple(route.table != routing::kMainTable, route.metric);
        };
        return key(a) < key(b);
    });
    return all;
}

}  // namespace

bool comes_before(const netlink::Route& a, const netlink::Route& b) {
    return std::tie(a.table, a.to.address, a.to.length) <
           std::tie(b.table, b.to.address, b.to.length);
}

HostTables host_tables(const routing::InterfaceTable& interfaces,
                       const routing::RouteTable& routes) {
    HostTables tables;
    for (const routing::Interface& interface : interfaces.all()) {
        if (interface.host) {
            continue;
        }
        tables.mtu = std::max(tables.mtu, interface.mtu);
        for (const Prefix& own : interface.addresses) {
            add_own(own, tables);
        }
    }
    const auto& all = tables.addresses;
    if (std::any_of(all.begin(), all.end(),
                    [](const Prefix& own) { return own.address.is_v6(); })) {
        add_own({local::kLoopbackAlias, 128}, tables);
    }
    for (const routing::Route& route : candidates(routes)) {
        const bool by_rules =
            routes.has_custom_rules(route.to.address.family) || !route.hops.empty();
        tables.routes.push_back(by_rules ? as_decided(route, interfaces, routes)
                                         : mirrored(route, interfaces));
    }
    // Link-local networks repeat, and routes may share a destination: the first one counts, as it
    // does for the router.
    std::stable_sort(tables.routes.begin(), tables.routes.end(), comes_before);
    const auto end = std::unique(tables.routes.begin(), tables.routes.end(),
                                 [](const auto& a, const auto& b) { return !comes_before(a, b); });
    tables.routes.erase(end, tables.routes.end());
    return tables;
}

}  // namespace nsr::router
