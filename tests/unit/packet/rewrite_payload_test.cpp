// A payload that becomes longer or shorter: lengths and checksums follow.
#include <doctest/doctest.h>

#include <string>

#include "core/packet/rewrite.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

Frame bytes(std::string_view text) {
    return {text.begin(), text.end()};
}

// Where the payload is.
std::size_t payload(const Packet& packet) {
    return packet.layout.l4_offset + (packet.layout.protocol == 6 ? 20U : 8U);
}

std::string text_of(const Packet& packet) {
    const auto part = packet.bytes().subspan(payload(packet));
    return {part.begin(), part.end()};
}

void check_whole(const Packet& packet, bool sum = true) {
    Packet fresh = packet.clone();
    REQUIRE(dissect(fresh).accepted());
    CHECK(fresh.layout.total_length == packet.size());
    CHECK(packet.layout.total_length == packet.size());
    CHECK((!sum || transport_checksum_right(packet)));
    if (packet.layout.family == Family::Ipv4) {
        CHECK(wire::checksum(packet.bytes().first(packet.layout.l4_offset)) == 0);
    }
    if (packet.layout.protocol == 17) {
        CHECK(wire::load16(packet.l4().data() + wire::udp::kLengthOffset) == packet.l4().size());
    }
}

}  // namespace

TEST_CASE("replacing a payload: longer, shorter, none left, at every place, in both families") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        for (const unsigned protocol : {6U, 17U}) {
            CAPTURE(protocol);
            const Frame l4 =
                protocol == 6 ? tcp(0x18, bytes("abcdef"), ends) : udp(bytes("abcdef"), ends);
            struct Change {
                std::size_t at;
                std::size_t removed;
                const char* text;
                const char* after;
            };
            for (const Change& change :
                 {Change{2, 2, "12345", "ab12345ef"}, Change{0, 6, "x", "x"},
                  Change{0, 0, "12", "12abcdef"}, Change{6, 0, "12", "abcdef12"},
                  Change{0, 6, "", ""}, Change{1, 3, "xyz", "axyzef"}}) {
                Packet packet = packet_of(pool, ip(protocol, l4, {ends}));
                REQUIRE(rewrite::replace_payload(packet, payload(packet) + change.at,
                                                 change.removed, change.text));
                CHECK(text_of(packet) == change.after);
                check_whole(packet);
            }
        }
    }
}

TEST_CASE("replacing a payload: a UDP checksum of zero stays absent") {
    BufferPool pool;
    Frame l4 = udp(bytes("abc"));
    put16(l4, wire::udp::kChecksumOffset, 0);
    Packet packet = packet_of(pool, ip(17, l4));
    REQUIRE(rewrite::replace_payload(packet, payload(packet), 1, "12"));
    CHECK(wire::load16(packet.l4().data() + wire::udp::kChecksumOffset) == 0);
    check_whole(packet, false);
}

TEST_CASE("replacing a payload: what does not fit is refused, and nothing changed") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        const std::size_t most = v4 ? 65535 - 28 : 65535 - 8;
        const Frame frame = ip(17, udp(counting(most), ends), {ends});
        Packet packet = packet_of(pool, frame);
        CHECK_FALSE(rewrite::replace_payload(packet, payload(packet), 1, "ab"));
        CHECK(to_hex(packet.bytes()) == to_hex(frame));
        CHECK(rewrite::replace_payload(packet, payload(packet), 1, "a"));
        check_whole(packet);
    }
}

TEST_CASE("replacing a payload: a checksum left to the device is left to it, and comes out right") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        for (const unsigned protocol : {6U, 17U}) {
            const auto whole = [&](std::string_view text) {
                return ip(protocol,
                          protocol == 6 ? tcp(0x18, bytes(text), ends) : udp(bytes(text), ends),
                          {ends});
            };
            const Frame before = whole("abcdef");
            const std::size_t start = v4 ? 20 : 40;
            const std::size_t field = protocol == 6 ? 16 : 6;
            Packet packet(pool, before);
            packet.offload.checksum = ChecksumState::Partial;
            packet.offload.checksum_start = static_cast<std::uint16_t>(start);
            packet.offload.checksum_offset = static_cast<std::uint16_t>(field);
            wire::store16(packet.data() + start + field,
                          wire::pseudo_header_sum(
                              ends.source, ends.destination, static_cast<std::uint8_t>(protocol),
                              static_cast<std::uint32_t>(before.size() - start)));
            REQUIRE(dissect(packet).accepted());
            REQUIRE(rewrite::replace_payload(packet, payload(packet) + 2, 2, "12345"));
            CHECK(packet.offload.checksum == ChecksumState::Partial);
            rewrite::complete_checksum(packet);
            CHECK(to_hex(packet.bytes()) == to_hex(whole("ab12345ef")));
        }
    }
}
