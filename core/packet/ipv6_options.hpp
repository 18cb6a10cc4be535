// The options in IPv6 hop-by-hop and destination options headers (RFC 8200 4.2): may the packet go
// on?
//
//   +---------------+---------------+- - - - - - - - - - - - - - - -
//   |  Next Header  | Length/8 - 1  | Options: type, length, data ...
//   +---------------+---------------+- - - - - - - - - - - - - - - -
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nsr {

enum class Ipv6Options : std::uint8_t {
    HopByHop,
    HopByHopMulticast,  // of a packet to a multicast address
    Destination,
    DestinationMulticast,
};

struct Ipv6OptionFacts {
    bool refused = false;
    // What to tell the sender in a parameter problem; pointer 0: nothing.
    std::uint16_t problem_pointer = 0;
    std::uint8_t problem_code = 0;
};

// `packet` begins at the IPv6 header, `offset` is that of the options header.
// kernel: ipv6_parse_hopopts, ip6_parse_tlv
Ipv6OptionFacts check_ipv6_options(std::span<const std::uint8_t> packet, std::size_t offset,
                                   Ipv6Options kind);

}  // namespace nsr
