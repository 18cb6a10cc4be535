// The router as a host: what it says itself.
//
// respond() is the built-in responder for packets delivered to the router when no [host] namespace
// takes them: it answers ping, refuses TCP (RST) and UDP (port unreachable) and unknown protocols
// (protocol unreachable); nothing listens. The *_error functions make the ICMP errors and resets
// that forwarding and REJECT need. All return a packet without route: source may be unspecified
// (the pipeline chooses the address and routes it through OUTPUT), or nothing when RFC 1122 3.2.2 /
// RFC 4443 2.4 forbid an answer (errors, fragments with offset > 0, multicast and broadcast).
// kernel: icmp_echo, tcp_v4_send_reset, __udp4_lib_rcv, __icmp_send, icmp6_send, nf_send_reset,
// nf_send_unreach
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/drop_reason.hpp"
#include "core/packet/packet.hpp"

namespace nsr::local {

// An ICMP or ICMPv6 error: type and code as on the wire; `info` is the MTU (frag needed, packet too
// big), or the pointer (parameter problem). Quotes up to 576 bytes in all (IPv4), 1280 (IPv6); TOS
// 0xc0. Of a super-packet it quotes the first wire segment.
struct IcmpError {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t info = 0;
};

std::optional<Packet> icmp_error(const Packet& about, IcmpError error, const IpAddress& source);
// An RST (kernel: nf_reject_ip_tcphdr_put): none for an RST, a bad checksum, a fragment.
std::optional<Packet> tcp_reset(const Packet& about);
// Whether REJECT may answer with an ICMP error: never to fragments with offset > 0 nor to packets with
// a wrong transport checksum. kernel: nf_send_unreach, nf_send_unreach6
bool may_reject(const Packet& about);

// What becomes of a packet that was delivered to the built-in host. All empty: it was consumed in
// silence (an echo reply, an ICMP error). An error is only named; whoever knows the rate limits sends
// it (the packet's drop reason is then `refused`).
struct Response {
    std::optional<Packet> answer;       // echo reply or RST, source and destination set
    std::optional<IcmpError> error;     // to be sent about the packet
    std::optional<DropReason> refused;  // why the packet reached nobody
};
// `broadcast`: it was sent to a broadcast or multicast address; then there are no errors, and echo is not
// answered (icmp_echo_ignore_broadcasts; ICMPv6 echo to multicast is).
Response respond(const Packet& delivered, bool broadcast);

}  // namespace nsr::local
