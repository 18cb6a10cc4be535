#include "netlink/route.hpp"

#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include <cerrno>
#include <memory>

#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/nl_address.hpp"

namespace nsr::netlink {
namespace {

struct PutRoute {
    void operator()(rtnl_route* route) const { rtnl_route_put(route); }
};
using RoutePtr = std::unique_ptr<rtnl_route, PutRoute>;

std::string in_words(const Route& route) {
    return to_string(route.to) + (route.via ? " via " + to_string(*route.via) : std::string()) +
           (route.device.empty() ? std::string() : " dev " + route.device);
}

NlAddress whole(const IpAddress& address) {
    return nl_address(Prefix{address, static_cast<std::uint8_t>(address.bits())});
}

// Where it leaves; a route that leads nowhere has none.
void add_hop(const Socket& socket, const Route& route, rtnl_route* result) {
    const auto link = find_link(socket, route.device);
    if (!link) {
        throw SystemError("look up device " + route.device, ENODEV);
    }
    rtnl_nexthop* hop = rtnl_route_nh_alloc();
    if (hop == nullptr) {
        throw SystemError("describe route " + in_words(route), ENOMEM);
    }
    rtnl_route_nh_set_ifindex(hop, link->index);
    if (route.via) {
        rtnl_route_nh_set_gateway(hop, whole(*route.via).get());
    }
    rtnl_route_add_nexthop(result, hop);  // owns `hop` from here
}

RoutePtr describe(const Socket& socket, const Route& route) {
    RoutePtr result(rtnl_route_alloc());
    if (!result) {
        throw SystemError("describe route " + in_words(route), ENOMEM);
    }
    const bool on_link = !route.device.empty() && !route.via;
    if (!route.device.empty()) {
        add_hop(socket, route, result.get());
    }
    rtnl_route_set_family(result.get(), static_cast<std::uint8_t>(route.to.address.family));
    rtnl_route_set_table(result.get(), route.table);
    rtnl_route_set_protocol(result.get(), route.protocol);
    rtnl_route_set_type(result.get(), route.type);
    rtnl_route_set_scope(result.get(), on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
    const std::string attempt = "describe route " + in_words(route);
    check_netlink(attempt, rtnl_route_set_dst(result.get(), nl_address(route.to.network()).get()));
    if (route.source) {
        check_netlink(attempt, rtnl_route_set_pref_src(result.get(), whole(*route.source).get()));
    }
    if (route.mtu != 0) {
        check_netlink(attempt, rtnl_route_set_metric(result.get(), RTAX_MTU, route.mtu));
    }
    return result;
}

}  // namespace

namespace {

// libnl gives a default route a destination without any bytes.
bool leads_to(rtnl_route* route, const Prefix& to) {
    nl_addr* destination = rtnl_route_get_dst(route);
    if (to.length == 0) {
        return nl_addr_get_prefixlen(destination) == 0;
    }
    return nl_addr_cmp(destination, nl_address(to.network()).get()) == 0;
}

}  // namespace

bool has_route(const Socket& socket, const Route& route) {
    const auto link = find_link(socket, route.device);
    nl_cache* cache = nullptr;
    check_netlink(
        "list the routes",
        rtnl_route_alloc_cache(socket.get(), static_cast<int>(route.to.address.family), 0, &cache));
    const std::unique_ptr<nl_cache, void (*)(nl_cache*)> routes(cache, nl_cache_free);
    for (nl_object* object = nl_cache_get_first(cache); link && object != nullptr;
         object = nl_cache_get_next(object)) {
        auto* known = reinterpret_cast<rtnl_route*>(object);
        rtnl_nexthop* hop = rtnl_route_nexthop_n(known, 0);
        if (rtnl_route_get_table(known) == RT_TABLE_MAIN && hop != nullptr &&
            rtnl_route_nh_get_ifindex(hop) == link->index && leads_to(known, route.to)) {
            return true;
        }
    }
    return false;
}

bool add_route(const Socket& socket, const Route& route) {
    const RoutePtr description = describe(socket, route);
    const int result = rtnl_route_add(socket.get(), description.get(), NLM_F_EXCL);
    if (result == -NLE_EXIST) {
        return false;
    }
    check_netlink("add route " + in_words(route), result);
    return true;
}

void replace_route(const Socket& socket, const Route& route) {
    const RoutePtr description = describe(socket, route);
    check_netlink("replace route " + in_words(route),
                  rtnl_route_add(socket.get(), description.get(), NLM_F_REPLACE));
}

void remove_route(const Socket& socket, const Route& route) {
    const RoutePtr description = describe(socket, route);
    const int result = rtnl_route_delete(socket.get(), description.get(), 0);
    if (result != -NLE_OBJ_NOTFOUND) {
        check_netlink("remove route " + in_words(route), result);
    }
}

void remove_routes_of(const Socket& socket, std::uint8_t protocol) {
    nl_cache* cache = nullptr;
    check_netlink("list the routes", rtnl_route_alloc_cache(socket.get(), AF_UNSPEC, 0, &cache));
    const std::unique_ptr<nl_cache, void (*)(nl_cache*)> routes(cache, nl_cache_free);
    for (nl_object* object = nl_cache_get_first(cache); object != nullptr;
         object = nl_cache_get_next(object)) {
        auto* route = reinterpret_cast<rtnl_route*>(object);
        if (rtnl_route_get_protocol(route) != protocol) {
            continue;
        }
        const int result = rtnl_route_delete(socket.get(), route, 0);
        if (result != -NLE_OBJ_NOTFOUND) {
            check_netlink("remove a route", result);
        }
    }
}

}  // namespace nsr::netlink
