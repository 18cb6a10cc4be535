// Routes that are impossible, and routes in each other's way.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>

#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

using routing::RouteType;

// What makes a route another one.
using Identity = std::tuple<std::uint32_t, IpAddress, std::uint8_t, std::uint8_t, std::uint32_t>;

std::uint32_t metric_of(const RouteConfig& route) {
    routing::Route same = route.more;
    same.to = route.to;
    return effective_metric(same);
}

Identity identity(const RouteConfig& route) {
    return {route.more.table, route.to.address, route.to.length, route.more.tos, metric_of(route)};
}

void check_route(const RouteConfig& route, const Config& config, ConfigErrors& errors);
void check_way(const RouteConfig& route, const HopConfig& hop, const Config& config,
               ConfigErrors& errors);
void check_gateway(const RouteConfig& route, const HopConfig& hop, const Config& config,
                   ConfigErrors& errors);
void check_source(const RouteConfig& route, const Config& config, ConfigErrors& errors);
void check_connected_routes(const Config& config, ConfigErrors& errors);
void check_duplicate_routes(const Config& config, ConfigErrors& errors);

}  // namespace

void check_routes(const Config& config, ConfigErrors& errors) {
    for (const RouteConfig& route : config.routes) {
        check_route(route, config, errors);
        check_source(route, config, errors);
    }
    check_connected_routes(config, errors);
    check_duplicate_routes(config, errors);
}

namespace {

void check_route(const RouteConfig& route, const Config& config, ConfigErrors& errors) {
    if (!route.hops.empty()) {
        if (route.via || !route.interface.empty() || route.type != RouteType::Unicast) {
            errors.push_back(
                {route.where, "a route with nexthops takes neither via nor interface nor type"});
        }
        for (const HopConfig& hop : route.hops) {
            check_way(route, hop, config, errors);
        }
        return;
    }
    if (route.type != RouteType::Unicast && (route.via || !route.interface.empty()) &&
        (route.interface.empty() || config.find_interface(route.interface) != nullptr)) {
        errors.push_back({route.where, "a route with this type takes neither via nor interface"});
    } else if (route.type == RouteType::Unicast || !route.interface.empty()) {
        check_way(route, {route.via, route.interface, 1, route.more.onlink, route.where}, config,
                  errors);
    }
}

// A destination that was refused has none.
bool is_other_family(const RouteConfig& route, const IpAddress& via) {
    const Family family = route.to.address.family;
    return family != Family::None && family != via.family;
}

void check_way(const RouteConfig& route, const HopConfig& hop, const Config& config,
               ConfigErrors& errors) {
    if (!hop.interface.empty() && config.find_interface(hop.interface) == nullptr) {
        errors.push_back({hop.where, "unknown interface \"" + hop.interface + "\"" +
                                         suggestion(hop.interface, config.interface_names())});
    } else if (!hop.interface.empty() && !config.find_interface(hop.interface)->up) {
        errors.push_back({hop.where, "interface \"" + hop.interface +
                                         "\" begins down (up = false), so no route leads there"});
    } else if (!hop.via && hop.interface.empty()) {
        errors.push_back({hop.where, "the route needs via, interface or type"});
    } else if (hop.onlink && (!hop.via || hop.interface.empty())) {
        errors.push_back({hop.where, "onlink needs via and interface"});
    } else if (hop.via && is_other_family(route, *hop.via)) {
        errors.push_back({hop.where, "via is of another address family than the destination"});
    } else if (hop.via) {
        check_gateway(route, hop, config, errors);
    }
}

// Routes that lead straight to an interface have networks, too.
bool leads_there(const RouteConfig& direct, const RouteConfig& route, const HopConfig& hop) {
    const bool same_table =
        direct.more.table == route.more.table || direct.more.table == routing::kMainTable;
    return same_table && !direct.via && !direct.interface.empty() && &direct != &route &&
           (hop.interface.empty() || hop.interface == direct.interface) &&
           direct.to.contains(*hop.via);
}

void check_gateway(const RouteConfig& route, const HopConfig& hop, const Config& config,
                   ConfigErrors& errors) {
    const IpAddress& via = *hop.via;
    bool own = false;
    bool broadcast = false;
    bool reachable = hop.onlink || (via.is_link_local() && !hop.interface.empty());
    std::vector<std::string> networks;
    for (const InterfaceConfig& interface : config.interfaces) {
        for (const Located<Prefix>& address : interface.addresses) {
            own = own || address.value.address == via;
            broadcast = broadcast || address.value.has_broadcast(via);
            if (interface.up && (hop.interface.empty() || hop.interface == interface.name)) {
                reachable = reachable || address.value.contains(via);
                networks.push_back(to_string(address.value.network()));
            }
        }
    }
    // In the order of the file: a route is there for those behind it.
    for (const RouteConfig* each = config.routes.data(); each < &route; ++each) {
        reachable = reachable || leads_there(*each, route, hop);
    }
    if (own) {
        errors.push_back({hop.where, "gateway " + to_string(via) + " is an address of the router"});
    } else if (broadcast) {
        errors.push_back(
            {hop.where, "gateway " + to_string(via) + " is the broadcast address of its network"});
    } else if (!reachable) {
        errors.push_back({hop.where, "gateway " + to_string(via) + " is not on-link; networks" +
                                         (hop.interface.empty() ? std::string()
                                                                : " of \"" + hop.interface + "\"") +
                                         ": " + (networks.empty() ? "none" : join(networks))});
    }
}

void check_source(const RouteConfig& route, const Config& config, ConfigErrors& errors) {
    const auto& source = route.more.source;
    if (!source) {
        return;
    }
    const bool own = std::any_of(
        config.interfaces.begin(), config.interfaces.end(), [&](const InterfaceConfig& interface) {
            const auto& all = interface.addresses;
            return std::any_of(all.begin(), all.end(), [&](const Located<Prefix>& address) {
                return address.value.address == *source;
            });
        });
    if (!own || source->family != route.to.address.family) {
        errors.push_back({route.where, "src " + to_string(*source) +
                                           " is not an address of the router in the family of the "
                                           "route"});
    }
}

// An IPv6 one may exist beside it; the connected one wins, but for a lower metric.
void check_connected_routes(const Config& config, ConfigErrors& errors) {
    std::map<Identity, std::string_view> connected;
    for (const InterfaceConfig& interface : config.interfaces) {
        for (const Located<Prefix>& address : interface.addresses) {
            RouteConfig route;
            route.to = address.value.network();
            route.more.metric = route.to.address.is_v6() ? routing::kIpv6ConnectedMetric : 0;
            connected.emplace(identity(route), interface.name);
        }
    }
    for (const RouteConfig& route : config.routes) {
        const auto found = connected.find(identity(route));
        if (found != connected.end()) {
            errors.push_back({route.where, to_string(route.to) + " is the network of \"" +
                                               std::string(found->second) +
                                               "\": its route exists already"});
        }
    }
}

void check_duplicate_routes(const Config& config, ConfigErrors& errors) {
    std::map<Identity, std::uint32_t> lines;
    for (const RouteConfig& route : config.routes) {
        if (route.to.address.family == Family::None) {
            continue;
        }
        const auto [first, is_new] = lines.emplace(identity(route), route.where.line);
        if (!is_new) {
            errors.push_back({route.where, "a route to " + to_string(route.to) +
                                               " exists already, in line " +
                                               std::to_string(first->second)});
        }
    }
}

}  // namespace
}  // namespace nsr::router
