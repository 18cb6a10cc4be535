// Tuple: what identifies one direction of a connection. kernel: struct nf_conntrack_tuple
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/ct_info.hpp"
#include "core/base/ids.hpp"
#include "core/packet/packet.hpp"
#include "core/wire/address.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

// `source_port` and `destination_port` hold what the protocol has in their place:
//   TCP, UDP, UDP-Lite, SCTP: the ports;
//   ICMP, ICMPv6: source_port = identifier, destination_port = type << 8 | code;
//   GRE: source_port = 0, destination_port = key of enhanced GRE (0 otherwise);
//   anything else: 0.
struct Tuple {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;

    [[nodiscard]] Family family() const { return source.family; }
    friend bool operator==(const Tuple&, const Tuple&) = default;
};

// The tuple of a packet's transport header. Nothing if the header is cut short, or the protocol has
// no tuple for this packet. kernel: nf_ct_get_tuple
std::optional<Tuple> tuple_of(const Packet& packet);
// The same for the header quoted in an ICMP error: only its first 4 (ports) or 8 (ICMP) bytes need
// to be there. kernel: nf_ct_get_tuplepr
std::optional<Tuple> tuple_of_quoted(std::span<const std::uint8_t> bytes, const Layout& layout);

// The tuple of an answer. Nothing for ICMP types that have none. kernel: nf_ct_invert_tuple
std::optional<Tuple> invert(const Tuple& tuple);

// What a lookup of a tuple gives: whose it is, and in which direction. kernel: struct
// nf_conntrack_tuple_hash
struct Hit {
    ConnId id = ConnId::None;
    Direction direction = Direction::Original;
};

}  // namespace nsr::conntrack
