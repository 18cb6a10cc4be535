// All changes to header fields of a packet in flight, each keeping every checksum right (RFC 1624,
// equation 3) or, if it was wrong before, wrong by the same amount.
//
// Rules kept here once: a UDP checksum of 0 stays 0 in IPv4, and one that becomes 0 is sent as
// 0xffff; a Partial checksum field holds the un-inverted pseudo header sum, so that an address
// change updates it and a port change does not; a super-packet is rewritten whole; TCP, UDP,
// UDP-Lite, ICMPv6 (pseudo header), ICMP, SCTP (CRC32c, recomputed) know their checksum; other
// protocols have none that NAT could mend. All keep packet.layout in step. An inner partial
// checksum (core/packet/offload.hpp) stays partial unless what it covers changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/packet/packet.hpp"

namespace nsr::rewrite {

void set_source(Packet& packet, const IpAddress& address);
void set_destination(Packet& packet, const IpAddress& address);
// Precondition: the transport header has ports (TCP, UDP, UDP-Lite, SCTP, DCCP) and they are within
// bytes().
void set_source_port(Packet& packet, Port port);
void set_destination_port(Packet& packet, Port port);
// An address and its port at once, as NAT changes them: the checksums are mended once.
// Precondition: as of the ports, and the addresses' families are the same.
void set_source_end(Packet& packet, const IpAddress& address, Port port);
void set_destination_end(Packet& packet, const IpAddress& address, Port port);
// Precondition: an ICMP or ICMPv6 message with an identifier.
void set_icmp_id(Packet& packet, std::uint16_t id);
void set_ttl(Packet& packet, std::uint8_t ttl);
inline void decrement_ttl(Packet& packet) {
    set_ttl(packet, static_cast<std::uint8_t>(packet.layout.ttl - 1));
}
void set_tos(Packet& packet, std::uint8_t tos);
// Replaces a 16 or 32 bit field inside the transport header or payload at `offset` (from
// bytes().begin(), any alignment) and updates the transport checksum.
void set_l4_u16(Packet& packet, std::size_t offset, std::uint16_t value);
void set_l4_u32(Packet& packet, std::size_t offset, std::uint32_t value);
// Computes the transport checksum anew over the whole packet (payload was replaced). No-op for an
// outer partial one.
void recompute_l4_checksum(Packet& packet);
// Puts `text` in the place of `removed` bytes at `offset` (from bytes().begin()) of a TCP or UDP
// packet: lengths and checksums follow; a UDP checksum of 0 stays 0. False, and nothing changed: it
// would not fit. Precondition: the bytes are behind the transport header. kernel:
// __nf_nat_mangle_tcp_packet, nf_nat_mangle_udp_packet
[[nodiscard]] bool replace_payload(Packet& packet, std::size_t offset, std::size_t removed,
                                   std::string_view text);
void recompute_ipv4_header_checksum(Packet& packet);
// Finishes a Partial checksum in software: afterwards Complete and right. No-op otherwise; a field
// that is not there is not written. Precondition: gso None.
void complete_checksum(Packet& packet);
// The same for an inner partial checksum alone: before bytes of the transport part are moved, or
// changed other than by the functions above.
void finish_inner_checksum(Packet& packet);

}  // namespace nsr::rewrite
