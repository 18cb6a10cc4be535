// Cutting packets to what a link can take.
#pragma once

#include "core/packet/packet.hpp"

namespace nsr {

// A super-packet as its wire segments, each with its own length, sequence number, flags, IPv4 id
// and complete checksum (if the partial one was wrong, each is wrong by as much); appended to `out`
// with meta copied. A packet that is no longer than one segment, or is not what its offload says,
// comes out as it is. kernel: tcp_gso_segment, __udp_gso_segment, inet_gso_segment. Precondition:
// offload.gso != None; dissected.
void segment(Packet packet, EgressQueue& out);
// The first of them alone, for who only wants to show how the packet looks on the wire.
Packet first_segment(const Packet& packet);

// An IPv4 datagram as fragments for `mtu`, or, if it was reassembled and they fit, in the pieces it
// came in (kernel: ip_do_fragment, ip_fragment). In later fragments, options without the copied
// flag have become no-operations. Nothing if not even eight bytes fit. Precondition: larger than
// mtu or packet.fragments set; gso None; checksum completed.
void fragment_ipv4(const Packet& packet, std::uint32_t mtu, EgressQueue& out);
// The same for a reassembled IPv6 datagram: a fragment header with `identification` behind the
// unfragmentable part. Nothing if that part leaves no room. kernel: ip6_fragment
void fragment_ipv6(const Packet& packet, std::uint32_t mtu, std::uint32_t identification,
                   EgressQueue& out);

// Length on the wire that MTU and DF are judged by: the packet's, or that of one segment of a
// super-packet. kernel: skb_gso_network_seglen
std::uint32_t wire_length(const Packet& packet);

}  // namespace nsr
