// The name that ::1 has in the [host] namespace when a packet comes to it by its device.
//
// Theory of operation
//   REDIRECT in OUTPUT sends what begins on the router to its loopback address. In IPv4 the
//   namespace takes such a packet from its device (route_localnet); in IPv6 its kernel drops every
//   packet of ::1 that does not come by lo (kernel: ip6_rcv_core). So the packet carries an address
//   instead that the namespace has and nobody else may have (RFC 4291 2.5.5.1), on its way there
//   and back; rules and tracking see ::1. differs: host-ipv6-loopback
#pragma once

#include "core/packet/packet.hpp"

namespace nsr::local {

inline constexpr IpAddress kLoopbackAlias = IpAddress::v6(0, 0, 0, 0x7f000001);  // ::127.0.0.1

// Before a packet goes into the namespace, and after it came out.
void alias_loopback(Packet& packet);
void restore_loopback(Packet& packet);

}  // namespace nsr::local
