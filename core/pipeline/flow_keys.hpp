// What a router reads of a packet to choose its way, beyond where it comes from and goes to.
// kernel: flow_dissector, flow_keys
#pragma once

#include <cstdint>
#include <span>

#include "core/packet/packet.hpp"
#include "core/routing/multipath.hpp"

namespace nsr::pipeline {

struct Ports {
    Port source = 0;
    Port destination = 0;
};

// 0 where there are none, as in every fragment. `bytes` begins at the IP header of `layout`.
// kernel: __skb_flow_get_ports
[[nodiscard]] Ports ports_of(const Layout& layout, std::span<const std::uint8_t> bytes);

// By which a route with several next hops takes one. An ICMP error on its way goes by the addresses
// of the packet that it quotes, if they are what counts; one of the router itself by all that
// counts of that packet. kernel: fib_multipath_hash, ip_multipath_l3_keys, rt6_multipath_hash,
// ip6_multipath_l3_keys; icmp_route_lookup, icmp6_send
[[nodiscard]] routing::HashKeys hash_keys(const Packet& packet, routing::HashPolicy policy);

}  // namespace nsr::pipeline
