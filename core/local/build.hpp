// Making the router's own packets. Only core/local includes this.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/packet/ipv4_options.hpp"
#include "core/packet/packet.hpp"

namespace nsr::local {

struct Header {
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;
    std::uint8_t tos = 0;
    std::uint16_t identification = 0;
    bool dont_fragment = false;
    Ipv4Options options;
};

// A packet with this IP header (TTL 64) and room for `l4_bytes` behind it.
Packet make_packet(BufferPool& pool, const Header& header, std::size_t l4_bytes);
// Fills in the transport checksum.
void seal(Packet& packet);

// The source can be sent to: neither nobody nor many.
bool answerable(const IpAddress& source);

}  // namespace nsr::local
