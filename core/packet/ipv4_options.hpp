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

// A forwarding router leaves `address`, its own on the outgoing link, in record route and timestamp
// options with room, and the time of day (milliseconds since midnight UT) in the latter; bytes
// behind the end of the list become zero. No-op without options. Precondition: no problem_pointer.
// kernel: __ip_options_compile, ip_forward_options
void stamp_ipv4_options(Packet& packet, const IpAddress& address, std::uint32_t time_of_day_ms);

}  // namespace nsr
