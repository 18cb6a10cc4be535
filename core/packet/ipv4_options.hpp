// IPv4 options (RFC 791 3.1): are they well formed, and what a router writes into them.
#pragma once

#include <cstdint>
#include <span>

#include "core/packet/packet.hpp"

namespace nsr {

struct Ipv4OptionFacts {
    bool source_routed = false;
    std::uint16_t problem_pointer = 0;  // offset of the first malformed byte in the header; 0: none
};

// `header` is the whole IPv4 header. kernel: __ip_options_compile
Ipv4OptionFacts check_ipv4_options(std::span<const std::uint8_t> header);

// What a forwarding router leaves in the options of a packet.
struct Ipv4Stamp {
    IpAddress outgoing;                // its address on the link the packet leaves by: record route
    IpAddress incoming;                // ... on the link it came from: timestamps
    std::uint32_t time_of_day_ms = 0;  // since midnight UT
};

// Fills in record route and timestamp options that have room, counts up the overflow of those that
// have none; bytes behind the end of the list become zero. No-op without options and on malformed
// ones. kernel: __ip_options_compile, ip_forward_options
// differs: ip-timestamp-prespecified (such a timestamp option is left alone)
void stamp_ipv4_options(Packet& packet, const Ipv4Stamp& values);

}  // namespace nsr
