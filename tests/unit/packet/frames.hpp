// Bytes of packets, put together without any help from the code under test but its checksum sum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet/dissect.hpp"
#include "core/packet/packet.hpp"
#include "core/wire/checksum.hpp"

namespace nsr::test_frames {

using Frame = std::vector<std::uint8_t>;

inline Frame from_hex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    Frame bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    }
    return bytes;
}

inline std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string out;
    for (const std::uint8_t byte : bytes) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

inline Frame operator+(Frame a, const Frame& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

inline void put16(Frame& frame, std::size_t at, unsigned value) {
    wire::store16(frame.data() + at, static_cast<std::uint16_t>(value));
}
inline unsigned get16(const Packet& packet, std::size_t at) {
    return wire::load16(packet.data() + at);
}

// 0, 1, 2 ... as payload: a piece that went astray shows.
inline Frame counting(std::size_t length) {
    Frame bytes(length);
    for (std::size_t i = 0; i < length; ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
    }
    return bytes;
}

struct Ends {
    IpAddress source = IpAddress::v4(10, 0, 0, 2);
    IpAddress destination = IpAddress::v4(198, 51, 100, 7);
};

inline Ends six() {
    return {*parse_address("fd00::2"), *parse_address("2001:db8::7")};
}

struct Ip {
    Ends ends;
    unsigned tos = 0;
    unsigned ttl = 64;
    unsigned id = 1;
    unsigned fragment = 0;  // the 16-bit word of flags and offset
    Frame options{};        // a multiple of four bytes
};

inline Frame ip(unsigned protocol, const Frame& payload, const Ip& header = {}) {
    Frame out;
    if (header.ends.source.is_v4()) {
        out.assign(20, 0);
        out = out + header.options;
        out[0] = static_cast<std::uint8_t>(0x40 | out.size() / 4);
        out[1] = static_cast<std::uint8_t>(header.tos);
        put16(out, 2, static_cast<unsigned>(out.size() + payload.size()));
        put16(out, 4, header.id);
        put16(out, 6, header.fragment);
        out[8] = static_cast<std::uint8_t>(header.ttl);
        out[9] = static_cast<std::uint8_t>(protocol);
        header.ends.source.to_wire(&out[12]);
        header.ends.destination.to_wire(&out[16]);
        put16(out, 10, wire::checksum(out));
    } else {
        out.assign(40, 0);
        wire::store32(out.data(), 0x60000000 | header.tos << 20);
        put16(out, 4, static_cast<unsigned>(payload.size()));
        out[6] = static_cast<std::uint8_t>(protocol);
        out[7] = static_cast<std::uint8_t>(header.ttl);
        header.ends.source.to_wire(&out[8]);
        header.ends.destination.to_wire(&out[24]);
    }
    return out + payload;
}

// Writes the checksum at `at` over the whole transport part.
inline Frame summed(Frame l4, unsigned protocol, std::size_t at, const Ends& ends) {
    put16(l4, at, 0);
    const std::uint16_t pseudo =
        protocol == 1 ? std::uint16_t{0}
                      : wire::pseudo_header_sum(ends.source, ends.destination,
                                                static_cast<std::uint8_t>(protocol),
                                                static_cast<std::uint32_t>(l4.size()));
    const auto checksum = static_cast<std::uint16_t>(~wire::sum(l4, pseudo));
    put16(l4, at, checksum == 0 && protocol == 17 ? 0xffff : checksum);
    return l4;
}

inline Frame udp(const Frame& data, const Ends& ends = {}) {
    Frame l4 = {0x9c, 0x40, 0, 53, 0, 0, 0, 0};
    put16(l4, 4, static_cast<unsigned>(8 + data.size()));
    return summed(l4 + data, 17, 6, ends);
}

inline Frame tcp(unsigned flags, const Frame& data, const Ends& ends = {}) {
    Frame l4 = {0x9c, 0x40, 0, 80, 0, 0, 0x03, 0xe8, 0, 0, 0, 77, 0x50, 0, 0xff, 0xff, 0, 0, 0, 0};
    l4[13] = static_cast<std::uint8_t>(flags);
    return summed(l4 + data, 6, 16, ends);
}

inline Frame echo(const Frame& data, const Ends& ends = {}) {
    const bool v4 = ends.source.is_v4();
    Frame l4 = {static_cast<std::uint8_t>(v4 ? 8 : 128), 0, 0, 0, 0, 7, 0, 1};
    return summed(l4 + data, v4 ? 1 : 58, 2, ends);
}

inline Packet packet_of(BufferPool& pool, const Frame& frame) {
    Packet packet(pool, frame);
    static_cast<void>(dissect(packet));
    return packet;
}

// Of TCP, UDP, ICMP and ICMPv6; an absent UDP checksum counts as right.
inline bool transport_checksum_right(const Packet& packet) {
    const Layout& layout = packet.layout;
    const auto l4 = packet.l4();
    if (layout.protocol == 17 && wire::load16(l4.data() + 6) == 0) {
        return true;
    }
    const std::uint16_t pseudo = layout.protocol == 1
                                     ? std::uint16_t{0}
                                     : wire::pseudo_header_sum(layout.source, layout.destination,
                                                               layout.protocol, layout.l4_length());
    return wire::sum(l4, pseudo) == 0xffff;
}

}  // namespace nsr::test_frames
