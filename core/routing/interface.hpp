// One of the router's links with its addresses, as the core knows it. kernel: net_device,
// in_device, inet6_dev
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

struct InterfaceCounters {
    std::uint64_t rx_packets = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t rx_dropped = 0;
    std::uint64_t tx_packets = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t tx_dropped = 0;
};

// What a link takes as it is; for one that does not, the router does it. kernel: netdev_features_t
struct LinkCapabilities {
    bool checksum = false;  // Partial checksums
    bool gso_tcp = false;   // TCP super-packets
    bool gso_udp = false;   // UDP super-packets
};

struct Interface {
    IfIndex index = IfIndex::None;
    std::string name;          // what rules call it
    std::uint32_t mtu = 1500;  // bytes of an IP packet
    // The router's own, in order; the first of a family is its primary.
    std::vector<Prefix> addresses;
    bool up = true;
    bool ipv6_router = true;  // it has the anycast addresses of routers. kernel: cnf.forwarding
    // It passes no IPv6 packet, and its addresses of that family rest until it may again.
    bool ipv6_disabled = false;
    std::vector<Prefix> resting;
    // The [host] namespace: real sockets "on the router"; its packets enter OUTPUT.
    bool host = false;
    LinkCapabilities capabilities;
    InterfaceCounters counters;
};

// Precondition: `disabled` differs from what it is.
void disable_ipv6(Interface& interface, bool disabled);
// Those that rest, too.
std::vector<Prefix> all_addresses(const Interface& interface);
// These in the place of all of them.
void assign_addresses(Interface& interface, const std::vector<Prefix>& addresses);

// What is gone: the address, and with the primary of an IPv4 network its secondaries. kernel:
// inet_del_ifa (promote_secondaries 0)
std::vector<Prefix> remove_address(Interface& interface, const Prefix& address);

}  // namespace nsr::routing
