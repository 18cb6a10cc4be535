// What the kernel of the [host] namespace must know, so that its sockets choose addresses and are
// told of missing ways as sockets on a router are.
//
// Theory of operation
//   The namespace has one device for all links. Each of the router's routes is there as one through
//   that device, with the source address and the MTU that its link would give; one that leads
//   nowhere is there as it is, because no ICMP error gives connect() its errno (EACCES, EINVAL).
//   What is not there is no route (ENETUNREACH). Routes to the router's own addresses are in a
//   table of their own, which is asked before the local one: so what is sent to them leaves by the
//   device and meets OUTPUT and INPUT. host_namespace.hpp carries it out.
// kernel: fib_info_update_nhc_saddr, ip_route_output_key_hash, ip6_route_output
#pragma once

#include <vector>

#include "core/routing/interface.hpp"
#include "core/routing/route_table.hpp"
#include "netlink/route.hpp"

namespace nsr::router {

inline constexpr std::uint32_t kOwnAddressTable = 252;  // below default, main and local

// Marks the routes that are ours, also to one who comes after we were killed. Free in
// /etc/iproute2/rt_protos.
inline constexpr std::uint8_t kRouteProtocol = 110;

struct HostTables {
    std::vector<Prefix> addresses;
    std::vector<netlink::Route> routes;  // in order; one for each table and destination
    std::uint32_t mtu = 0;               // of the device: the largest of the links
};

// By table and destination.
bool comes_before(const netlink::Route& a, const netlink::Route& b);

HostTables host_tables(const routing::InterfaceTable& interfaces,
                       const routing::RouteTable& routes);

}  // namespace nsr::router
