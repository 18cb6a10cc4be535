// The first packet that a connection may have begun with, made from what is known of it.
#pragma once

#include <cstdint>

#include "core/packet/packet.hpp"

namespace nsr::local {

// `source_port` and `destination_port` as in a tuple of connection tracking: ports; identifier, and
// type << 8 | code, of ICMP; 0 and the key of enhanced GRE.
struct Flow {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;
};

// A SYN, an INIT, a request, an empty datagram: dissected, its checksum right.
Packet first_packet(BufferPool& pool, const Flow& flow);

}  // namespace nsr::local
