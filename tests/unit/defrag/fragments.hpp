// Fragments as one writes them down, and a Defrag that eats them.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "core/defrag/defrag.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"

namespace nsr::test {

using namespace std::chrono_literals;

// A piece of a datagram whose byte number i is pattern(i, data).
struct Piece {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    bool more = false;
    std::uint32_t id = 77;
    std::uint8_t source = 2;  // last byte of the source address
    std::uint8_t protocol = 17;
    std::uint8_t tos = 0;
    std::uint8_t ttl = 64;
    bool dont_fragment = false;
    std::uint8_t data = 0;  // another value: other bytes
    IfIndex in = IfIndex{1};
    bool output = false;
    std::size_t option_bytes =
        0;  // IPv4: NOPs; IPv6: a destination options header before the fragment header
    std::uint8_t destination = 1;  // IPv6: 1 a global address, 2 a link-local one
};

inline std::uint8_t pattern(std::uint32_t i, std::uint8_t data) {
    return static_cast<std::uint8_t>(i * 7 + i / 256 + data);
}

inline void append_payload(std::vector<std::uint8_t>& bytes, const Piece& piece) {
    for (std::uint32_t i = piece.offset; i < piece.offset + piece.length; ++i) {
        bytes.push_back(pattern(i, piece.data));
    }
}

inline std::vector<std::uint8_t> ipv4_bytes(const Piece& piece) {
    std::vector<std::uint8_t> bytes(20 + piece.option_bytes, 1);
    const std::vector<std::uint8_t> addresses = {10, 0, 0, piece.source, 192, 0, 2, 9};
    bytes[0] = static_cast<std::uint8_t>(0x40 | bytes.size() / 4);
    bytes[1] = piece.tos;
    bytes[8] = piece.ttl;
    bytes[9] = piece.protocol;
    std::memcpy(bytes.data() + 12, addresses.data(), addresses.size());
    wire::store16(bytes.data() + 2, static_cast<std::uint16_t>(bytes.size() + piece.length));
    wire::store16(bytes.data() + 4, static_cast<std::uint16_t>(piece.id));
    wire::store16(bytes.data() + 6,
                  static_cast<std::uint16_t>((piece.dont_fragment ? 0x4000 : 0) |
                                             (piece.more ? 0x2000 : 0) | piece.offset / 8));
    wire::store16(bytes.data() + 10, 0);
    wire::store16(bytes.data() + 10, wire::checksum(bytes));
    append_payload(bytes, piece);
    return bytes;
}

inline std::vector<std::uint8_t> ipv6_bytes(const Piece& piece) {
    std::vector<std::uint8_t> bytes(40 + piece.option_bytes + 8, 0);
    const auto from = IpAddress::v6(0xfd000001, 0, 0, piece.source);
    const auto to = piece.destination == 1 ? IpAddress::v6(0x20010db8, 0, 0, 9)
                                           : IpAddress::v6(0xfe800000, 0, 0, 9);
    bytes[0] = 0x60;
    bytes[1] = static_cast<std::uint8_t>(piece.tos << 4);
    wire::store16(bytes.data() + 4, static_cast<std::uint16_t>(bytes.size() - 40 + piece.length));
    bytes[6] = piece.option_bytes == 0 ? 44 : 60;
    bytes[7] = piece.ttl;
    from.to_wire(bytes.data() + 8);
    to.to_wire(bytes.data() + 24);
    if (piece.option_bytes != 0) {
        bytes[40] = 44;
        bytes[41] = static_cast<std::uint8_t>(piece.option_bytes / 8 - 1);
        bytes[42] = 1;
        bytes[43] = static_cast<std::uint8_t>(piece.option_bytes - 4);
    }
    std::uint8_t* header = bytes.data() + 40 + piece.option_bytes;
    header[0] = piece.protocol;
    wire::store16(header + 2, static_cast<std::uint16_t>(piece.offset | (piece.more ? 1 : 0)));
    wire::store32(header + 4, piece.id);
    append_payload(bytes, piece);
    return bytes;
}

struct Desk {
    explicit Desk(defrag::Settings settings = {}) : defrag(settings, SipKey{1, 2}) {}

    // The verdict on the fragment; `packet` holds the datagram if it was accepted.
    Verdict give(std::vector<std::uint8_t> bytes, const Piece& piece) {
        packet = Packet(pool, bytes);
        REQUIRE(dissect(packet).accepted());
        packet.meta.in = piece.in;
        packet.meta.locally_generated = piece.output;
        return defrag.collect(packet, who, now);
    }
    Verdict v4(const Piece& piece) { return give(ipv4_bytes(piece), piece); }
    Verdict v6(const Piece& piece) { return give(ipv6_bytes(piece), piece); }

    // Does `packet` end with the bytes [0, length) of the datagram?
    [[nodiscard]] bool holds(std::uint32_t length, std::uint8_t data = 0) const {
        if (packet.size() < length) {
            return false;
        }
        const auto payload = packet.bytes().last(length);
        for (std::uint32_t i = 0; i < length; ++i) {
            if (payload[i] != pattern(i, data)) {
                return false;
            }
        }
        return true;
    }
    void after(Duration time) { now += time; }

    BufferPool pool;
    Instant now{100s};
    defrag::Reassembler who = defrag::Reassembler::Tracking;
    Packet packet;
    defrag::Defrag defrag;
};

}  // namespace nsr::test
