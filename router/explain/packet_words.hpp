// A packet in words, as people write it down:
//
//     PACKET   = PROTOCOL SOURCE ">" DESTINATION [FLAGS] (KEY VALUE)* ["df"]
//     PROTOCOL = "tcp" | "udp" | "udplite" | "sctp" | "icmp" | "icmp6" | "gre" | "esp" | ... |
//     NUMBER SOURCE, DESTINATION = ADDRESS [":" PORT] | "[" ADDRESS "]" ":" PORT FLAGS    = of TCP,
//     as tcpdump has them: S, S., ., P., F., R, R.; S if there are none KEY      = "in" INTERFACE |
//     "ttl" | "tos" | "data" (bytes) | "seq" | "ack" | "win"
//              | "id" | "type" | "code"     (the last three of ICMP)
//
//     tcp 10.0.1.2:40000 > 10.0.2.2:80 S in lan
//     icmp 10.0.1.2 > 10.0.2.2 id 7
//     udp [fd00::2]:4000 > [2001:db8::7]:53 data 100 ttl 3
//
// Without "in" it comes by the interface through which its source is reached. Without "seq" and
// "ack" a TCP packet has the numbers that its connection expects next, if there is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/packet/packet.hpp"

namespace nsr {
class Router;
}

namespace nsr::router {

struct PacketWords {
    std::uint8_t protocol = 0;
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t tcp_flags = 0x02;
    std::string in;  // empty: not said
    std::optional<std::uint32_t> seq;
    std::optional<std::uint32_t> ack;
    std::optional<std::uint16_t> window;
    std::optional<std::uint8_t> ttl;
    std::optional<std::uint8_t> tos;
    std::uint16_t data = 0;
    std::uint16_t icmp_id = 1;
    std::optional<std::uint8_t> icmp_type;  // an echo request if not said
    std::uint8_t icmp_code = 0;
    bool dont_fragment = false;
};

struct WordsError {
    std::size_t column = 0;  // from 1
    std::string message;
};

Result<PacketWords, WordsError> parse_packet_words(std::string_view text);
// The packet, its checksums right, ready for Router::receive(): meta.in is set. An error says why
// there is no such packet here.
Result<Packet, std::string> make_packet(const PacketWords& words, const Router& router,
                                        BufferPool& pool, Instant now);

}  // namespace nsr::router
