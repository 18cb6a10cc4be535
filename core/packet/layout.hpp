// Where things are in a packet: filled once by dissect(), read by everybody, refreshed by whoever
// moves bytes.
#pragma once

#include <cstdint>

#include "core/wire/address.hpp"

namespace nsr {

struct Layout {
    Family family = Family::None;
    // The transport protocol, behind all IPv6 extension headers; kNoNext also if they are cut off.
    std::uint8_t protocol = 0;
    std::uint8_t tos = 0;  // TOS or traffic class
    std::uint8_t ttl = 0;  // TTL or hop limit
    // From bytes().begin(): the end of the IPv4 header, or of the last extension header.
    std::uint16_t l4_offset = 0;
    std::uint32_t total_length = 0;  // of the IP packet, header included; bytes() is trimmed to it
    IpAddress source;
    IpAddress destination;

    // Fragment facts. An unfragmented packet has all of them zero.
    // Offset > 0 or more fragments; an IPv6 atomic fragment (RFC 6946) counts, too.
    bool is_fragment = false;
    bool more_fragments = false;
    bool dont_fragment = false;         // IPv4 DF
    std::uint16_t fragment_offset = 0;  // in bytes
    std::uint32_t identification = 0;
    std::uint16_t fragment_header = 0;  // IPv6: offset of the fragment header; 0 if there is none
    // IPv6: offset of the next-header byte that names the fragment header.
    std::uint16_t fragment_prev_next = 0;
    bool fragment_header_cut = false;  // IPv6: the packet ends within its fragment header

    bool has_ipv4_options = false;
    bool source_routed = false;  // LSRR or SSRR present

    // A malformed IPv4 option or a hop-by-hop option that must be understood: what a parameter
    // problem says about it. Pointer 0: all is well. IPv4 is judged after PREROUTING (kernel:
    // ip_rcv_options), IPv6 before it (kernel: ipv6_parse_hopopts; dissect() says drop as well).
    std::uint16_t problem_pointer = 0;  // of the offending byte
    std::uint8_t problem_code = 0;

    // Transport bytes present in this packet. Valid iff fragment_offset == 0 for anything that
    // reads a transport header.
    [[nodiscard]] std::uint32_t l4_length() const { return total_length - l4_offset; }
    [[nodiscard]] bool has_l4_header() const { return fragment_offset == 0; }
};

}  // namespace nsr
