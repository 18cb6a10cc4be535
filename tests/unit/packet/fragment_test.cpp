#include <doctest/doctest.h>

#include "core/packet/segment.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

using Sizes = std::vector<std::uint16_t>;

Packet reassembled(BufferPool& pool, const Frame& frame, Sizes sizes, unsigned max_size,
                   bool dont_fragment = false) {
    Packet packet = packet_of(pool, frame);
    packet.fragments = std::make_unique<FragmentGeometry>();
    packet.fragments->payload_bytes = std::move(sizes);
    packet.fragments->max_size = static_cast<std::uint16_t>(max_size);
    packet.fragments->dont_fragment = dont_fragment;
    return packet;
}

EgressQueue cut4(Packet packet, unsigned mtu) {
    EgressQueue out;
    fragment_ipv4(std::move(packet), mtu, out);
    return out;
}

EgressQueue cut6(Packet packet, unsigned mtu) {
    EgressQueue out;
    fragment_ipv6(std::move(packet), mtu, 0xabcd1234, out);
    return out;
}

// Payload sizes; every offset, MF flag and byte is looked at on the way.
Sizes sizes_of(const EgressQueue& pieces, std::span<const std::uint8_t> payload) {
    Sizes sizes;
    std::size_t offset = 0;
    for (const Packet& piece : pieces) {
        CHECK(piece.layout.fragment_offset == offset);
        CHECK(piece.layout.more_fragments == (&piece != &pieces.back()));
        const auto part = piece.l4();
        REQUIRE(offset + part.size() <= payload.size());
        CHECK(to_hex(part) == to_hex(payload.subspan(offset, part.size())));
        offset += part.size();
        sizes.push_back(static_cast<std::uint16_t>(part.size()));
    }
    CHECK(offset == payload.size());
    return sizes;
}

}  // namespace

TEST_CASE("IPv4: a datagram is cut at the MTU, in multiples of eight bytes") {
    BufferPool pool;
    const Frame l4 = udp(counting(1200));
    Ip header;
    header.tos = 0x10;
    header.id = 777;
    Packet packet = packet_of(pool, ip(17, l4, header));
    packet.meta.out = IfIndex{3};
    const EgressQueue out = cut4(std::move(packet), 1000);
    CHECK(sizes_of(out, l4) == Sizes{976, 232});
    for (const Packet& piece : out) {
        CHECK(piece.layout.identification == 777);
        CHECK(piece.layout.tos == 0x10);
        CHECK(piece.layout.ttl == 64);
        CHECK_FALSE(piece.layout.dont_fragment);
        CHECK(piece.meta.out == IfIndex{3});
    }
}

TEST_CASE("IPv4: every MTU leaves all bytes, none twice") {
    BufferPool pool;
    const Frame l4 = udp(counting(500));
    for (unsigned mtu = 28; mtu < 528; ++mtu) {
        const EgressQueue out = cut4(packet_of(pool, ip(17, l4)), mtu);
        sizes_of(out, l4);
        for (const Packet& piece : out) {
            REQUIRE(piece.size() <= mtu);
        }
    }
    CHECK(cut4(packet_of(pool, ip(17, l4)), 27).empty());
    CHECK(cut4(packet_of(pool, ip(17, l4)), 0).empty());
}

TEST_CASE("IPv4: what came in pieces leaves in the same pieces if they fit") {
    BufferPool pool;
    const Frame l4 = udp(counting(1000));
    const EgressQueue out = cut4(reassembled(pool, ip(17, l4), {104, 800, 104}, 820), 1500);
    CHECK(sizes_of(out, l4) == Sizes{104, 800, 104});
}

TEST_CASE("IPv4: pieces that do not fit are cut anew, no larger than the largest that came") {
    BufferPool pool;
    const Frame l4 = udp(counting(1000));
    CHECK(sizes_of(cut4(reassembled(pool, ip(17, l4), {104, 800, 104}, 820), 500), l4) ==
          Sizes{480, 480, 48});
    // A helper has changed the length: the pieces are not those that came in any more.
    CHECK(sizes_of(cut4(reassembled(pool, ip(17, l4), {104, 800, 112}, 820), 1500), l4) ==
          Sizes{800, 208});
}

TEST_CASE("IPv4: DF of the fragments is lost, unless they must be cut anew") {
    BufferPool pool;
    const Frame l4 = udp(counting(1000));
    for (const Packet& piece : cut4(reassembled(pool, ip(17, l4), {504, 504}, 524, true), 1500)) {
        CHECK_FALSE(piece.layout.dont_fragment);
    }
    for (const Packet& piece : cut4(reassembled(pool, ip(17, l4), {504, 504}, 524, true), 400)) {
        CHECK(piece.layout.dont_fragment);
    }
}

TEST_CASE("IPv4: a fragment that is cut again keeps its place") {
    BufferPool pool;
    Ip header;
    header.fragment = 0x2000 | 100;
    const EgressQueue out = cut4(packet_of(pool, ip(17, counting(400), header)), 220);
    REQUIRE(out.size() == 2);
    CHECK(out[0].layout.fragment_offset == 800);
    CHECK(out[1].layout.fragment_offset == 1000);
    CHECK(out[1].layout.more_fragments);
}

TEST_CASE("IPv4: later fragments have only the options that are to be copied") {
    BufferPool pool;
    Ip header;
    header.options = {7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0};
    const EgressQueue out = cut4(packet_of(pool, ip(17, udp(counting(100)), header)), 100);
    REQUIRE(out.size() == 2);
    CHECK(to_hex(out[0].bytes().subspan(20, 12)) == "070704000000000194040000");
    CHECK(to_hex(out[1].bytes().subspan(20, 12)) == "010101010101010194040000");
}

TEST_CASE("IPv6: a fragment header goes behind what every fragment needs") {
    BufferPool pool;
    const Frame l4 = udp(counting(1000), six());
    const Frame hop_by_hop = {60, 0, 1, 4, 0, 0, 0, 0};
    const Frame destination = {17, 0, 1, 4, 0, 0, 0, 0};
    const EgressQueue out = cut6(
        reassembled(pool, ip(0, hop_by_hop + destination + l4, {six()}), {504, 504}, 568), 1500);
    CHECK(sizes_of(out, l4) == Sizes{504, 504});
    for (const Packet& piece : out) {
        CHECK(piece.layout.fragment_header == 56);
        CHECK(piece.layout.fragment_prev_next == 48);
        CHECK(piece.layout.identification == 0xabcd1234);
        CHECK(piece.layout.l4_offset == 64);
        CHECK(piece.layout.protocol == 17);
        CHECK(to_hex(piece.bytes().subspan(40, 8)) == to_hex(hop_by_hop));
    }
}

TEST_CASE("IPv6: destination options behind a routing header are for the destination only") {
    BufferPool pool;
    const Frame routing = {60, 0, 2, 0, 0, 0, 0, 0};
    const Frame destination = {17, 0, 1, 4, 0, 0, 0, 0};
    const Frame payload = destination + udp(counting(1000), six());
    const EgressQueue out =
        cut6(reassembled(pool, ip(43, routing + payload, {six()}), {512, 504}, 568), 1500);
    REQUIRE(out.size() == 2);
    CHECK(out[0].layout.fragment_header == 48);
    CHECK(to_hex(out[0].bytes().subspan(56, 512)) == to_hex(std::span(payload).first(512)));
    CHECK(to_hex(out[1].bytes().subspan(56)) == to_hex(std::span(payload).subspan(512)));
    CHECK(out[1].layout.fragment_offset == 512);
}

TEST_CASE("IPv6: pieces that cannot be as they were are at least 1280 bytes long") {
    BufferPool pool;
    const Frame l4 = udp(counting(2992), six());
    const EgressQueue odd =
        cut6(reassembled(pool, ip(17, l4, {six()}), {1000, 1003, 997}, 1051), 1500);
    CHECK(sizes_of(odd, l4) == Sizes{1232, 1232, 536});
    const EgressQueue large =
        cut6(reassembled(pool, ip(17, l4, {six()}), {1452, 1548}, 1500), 1400);
    CHECK(sizes_of(large, l4) == Sizes{1352, 1352, 296});
}
