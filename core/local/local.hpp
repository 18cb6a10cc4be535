// The router as a host: what it says itself.
//
// Theory of operation
//   respond() is the built-in responder for packets delivered to the router when no [host]
//   namespace takes them: it answers ping and timestamp requests, refuses TCP (RST), UDP and
//   UDP-Lite (port unreachable) and unknown protocols (protocol unreachable, or a parameter problem
//   about the IPv6 next header); nothing listens. What a host takes without a word is consumed in
//   silence: ICMP errors and answers, IGMP, PIM, neighbour discovery.
//   icmp_error(), tcp_reset() and may_reject() make the errors and resets that forwarding and
//   REJECT need, or nothing where RFC 1122 3.2.2 and RFC 4443 2.4 forbid an answer (about errors,
//   fragments with offset > 0, multicast and broadcast, senders that are nobody).
//   All packets come dissected, with their checksums, without a route; the source may be
//   unspecified, then the pipeline chooses it and sends the packet through OUTPUT. TTL is 64. The
//   IPv4 identification is that of the packet that was answered. IPv4 options are repeated where
//   the kernel does (core/packet/ipv4_options.hpp): in echo and timestamp replies, in errors and in
//   the RST of the host, not in that of REJECT.
// kernel: icmp_rcv, icmp_reply, tcp_v4_send_reset, __udp4_lib_rcv, ip_protocol_deliver_rcu,
// __icmp_send, icmpv6_rcv, icmp6_send, ip6_protocol_deliver_rcu, nf_send_reset, nf_send_unreach
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/base/drop_reason.hpp"
#include "core/packet/packet.hpp"

namespace nsr::local {

// An ICMP or ICMPv6 error: type and code as on the wire; `info` is the MTU (frag needed, packet too
// big), the gateway (redirect) or the pointer (parameter problem). Quotes up to 576 bytes in all
// (IPv4), 1280 (IPv6); TOS 0xc0 with the TOS bits of the packet. Of a super-packet it quotes the
// first wire segment.
struct IcmpError {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t info = 0;
    std::uint32_t quotable = 0xffffffff;  // bytes of the packet that may be quoted at most
    std::uint32_t longest = 0xffffffff;   // bytes of the error at most
};

// What the router knows of itself when it answers.
struct Self {
    std::uint32_t time_of_day_ms = 0;              // since midnight UT, for ICMP and IP timestamps
    std::function<bool(const IpAddress&)> is_own;  // as of Ipv4Stamp
};

// Whether the standards let it be sent: what is worth asking before a limit is.
bool may_report(const Packet& about, const IcmpError& error);
std::optional<Packet> icmp_error(const Packet& about, const IcmpError& error,
                                 const IpAddress& source, const Self& self = {});
// An RST (kernel: nf_reject_ip_tcphdr_put): none for an RST, a bad checksum, a fragment.
std::optional<Packet> tcp_reset(const Packet& about);
// Whether REJECT may answer with an ICMP error: never to fragments with offset > 0 nor to packets
// with a wrong transport checksum. kernel: nf_send_unreach, nf_send_unreach6
bool may_reject(const Packet& about);

// What becomes of a packet that was delivered to the built-in host. All empty: it was consumed in
// silence (an echo reply, an ICMP error). An error is only named; whoever knows the rate limits
// sends it (the packet's drop reason is then `refused`).
struct Response {
    std::optional<Packet> answer;       // echo reply or RST, source and destination set
    std::optional<IcmpError> error;     // to be sent about the packet
    std::optional<DropReason> refused;  // why the packet reached nobody
};

// `broadcast`: it was sent to a broadcast or multicast address; then there are no errors, and an
// answer has an unspecified source.
Response respond(const Packet& delivered, bool broadcast, const Self& self = {});

}  // namespace nsr::local
