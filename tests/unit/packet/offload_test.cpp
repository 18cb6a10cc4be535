#include "core/packet/offload.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

constexpr Ends kInner{IpAddress::v4(10, 9, 0, 1), IpAddress::v4(10, 9, 0, 2)};

struct Left {
    std::size_t start = 0;
    std::size_t offset = 16;
};

// A packet as a device hands it over, and the same with its checksum finished.
struct Twins {
    Packet partial;
    Packet finished;
};

Packet with(BufferPool& pool, const Frame& frame, const Left& left) {
    Packet packet(pool, frame);
    packet.offload.checksum = ChecksumState::Partial;
    packet.offload.checksum_start = static_cast<std::uint16_t>(left.start);
    packet.offload.checksum_offset = static_cast<std::uint16_t>(left.offset);
    return packet;
}

std::optional<DropReason> refused(Packet packet) {
    const Verdict verdict = dissect(packet);
    return verdict.dropped() ? std::optional(verdict.reason()) : std::nullopt;
}

// `finished` carries a TCP segment of kInner whose header is at `start`.
Twins twins(BufferPool& pool, const Frame& finished, std::size_t start) {
    Frame partial = finished;
    put16(partial, start + 16,
          wire::pseudo_header_sum(kInner.source, kInner.destination, 6,
                                  static_cast<std::uint32_t>(finished.size() - start)));
    Twins both{with(pool, partial, {start}), packet_of(pool, finished)};
    REQUIRE(dissect(both.partial).accepted());
    return both;
}

Frame vxlan(const Ends& ends, bool with_checksum) {
    const Frame ethernet(14);
    Frame l4 = udp(Frame{8, 0, 0, 0, 0, 0, 7, 0} + ethernet +
                       ip(6, tcp(0x18, counting(501), kInner), {kInner}),
                   ends);
    if (!with_checksum) {
        put16(l4, 6, 0);
    }
    return l4;
}

constexpr std::size_t kVxlanHeaders = 8 + 8 + 14 + 20;

std::string finished_bytes(const Packet& packet) {
    Packet copy = packet.clone();
    rewrite::complete_checksum(copy);
    return to_hex(copy.bytes());
}

}  // namespace

TEST_CASE("a checksum inside of a tunnel is a device's work as any other") {
    BufferPool pool;
    const Frame inner = ip(6, tcp(0x18, counting(501), kInner), {kInner});
    const Frame four_in_gre = Frame{0, 0, 8, 0} + inner;
    const Twins all[] = {
        twins(pool, ip(17, vxlan({}, true)), 20 + kVxlanHeaders),
        twins(pool, ip(17, vxlan(six(), false), {six()}), 40 + kVxlanHeaders),
        twins(pool, ip(4, inner), 40),
        twins(pool, ip(4, inner, {six()}), 60),
        twins(pool, ip(47, four_in_gre), 44),
    };
    for (const Twins& each : all) {
        CHECK(has_inner_partial_checksum(each.partial));
        CHECK_FALSE(has_outer_partial_checksum(each.partial));
        CHECK(finished_bytes(each.partial) == to_hex(each.finished.bytes()));
    }
    // GRE with a checksum of its own, left to the device.
    Frame gre = Frame{0x80, 0, 8, 0, 0, 0, 0, 0} + inner;
    CHECK_FALSE(refused(with(pool, ip(47, gre), {20, 4})));
}

TEST_CASE("what a device is to do must be about the bytes that the IP header counts") {
    BufferPool pool;
    const Frame tail(11);
    const Frame four = ip(6, tcp(0x10, counting(4))) + tail;
    CHECK_FALSE(refused(with(pool, four, {20, 16})));
    CHECK_FALSE(refused(with(pool, four, {40, 2})));
    CHECK(refused(with(pool, four, {40, 3})) == DropReason::BadOffload);
    CHECK(refused(with(pool, four, {53, 0})) == DropReason::BadOffload);
    CHECK(refused(with(pool, four, {19, 16})) == DropReason::BadOffload);  // in the IP header

    // An option that demands an error is no reason to ask less.
    const Frame demanding = {6, 0, 0x80, 4, 0, 0, 0, 0};
    const Frame six_frame = ip(0, demanding + tcp(0x10, {}, six()), {six()});
    CHECK(refused(with(pool, six_frame, {48, 16})) == DropReason::BadExtensionHeader);
    CHECK(refused(with(pool, six_frame + tail, {66, 1})) == DropReason::BadOffload);
    CHECK(refused(with(pool, six_frame, {40, 16})) == DropReason::BadOffload);
}

TEST_CASE("fragments have their checksums") {
    BufferPool pool;
    Ip header;
    header.fragment = 0x2000;
    CHECK(refused(with(pool, ip(17, udp(counting(16)), header), {20, 6})) ==
          DropReason::BadOffload);
    const Frame first = Frame{17, 0, 0, 1, 0, 0, 0, 9} + udp(counting(16), six());
    CHECK(refused(with(pool, ip(44, first, {six()}), {48, 6})) == DropReason::BadOffload);
}

TEST_CASE("a super-packet is one of its outermost transport header") {
    BufferPool pool;
    const auto super = [&](const Frame& frame, Gso gso, const Left& left) {
        Packet packet = with(pool, frame, left);
        packet.offload.gso = gso;
        packet.offload.gso_size = 100;
        return refused(std::move(packet));
    };
    const Frame tunnel = ip(17, vxlan({}, true));
    CHECK_FALSE(super(ip(6, tcp(0x10, counting(400))), Gso::Tcp4, {20, 16}));
    CHECK_FALSE(super(ip(17, udp(counting(400))), Gso::Udp, {20, 6}));
    CHECK(super(tunnel, Gso::Tcp4, {20 + kVxlanHeaders, 16}) == DropReason::BadOffload);
    CHECK(super(tunnel, Gso::Udp, {20 + kVxlanHeaders, 16}) == DropReason::BadOffload);
    CHECK(super(ip(6, tcp(0x10, counting(400))), Gso::Tcp4, {20, 14}) == DropReason::BadOffload);
    CHECK(super(ip(6, tcp(0x10, counting(400))), Gso::Tcp6, {20, 16}) == DropReason::BadOffload);
}

TEST_CASE("translating the outside of a tunnel leaves the inside to the device") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        for (const bool with_checksum : {true, false}) {
            const Ends ends = v4 ? Ends{} : six();
            const std::size_t start = (v4 ? 20U : 40U) + kVxlanHeaders;
            Twins both = twins(pool, ip(17, vxlan(ends, with_checksum), {ends}), start);
            for (Packet* packet : {&both.partial, &both.finished}) {
                rewrite::set_source(
                    *packet, v4 ? IpAddress::v4(192, 0, 2, 9) : *parse_address("2001:db8::9"));
                rewrite::set_source_port(*packet, 7);
                rewrite::decrement_ttl(*packet);
            }
            CHECK(has_inner_partial_checksum(both.partial));
            CHECK(finished_bytes(both.partial) == to_hex(both.finished.bytes()));
            CHECK(transport_checksum_right(both.finished));
        }
    }
}

TEST_CASE("what an inner checksum covers is changed after it was finished") {
    BufferPool pool;
    const Frame frame = ip(17, vxlan({}, true));
    for (const std::size_t at : {std::size_t{36}, std::size_t{77}, frame.size() - 4}) {
        CAPTURE(at);
        Twins both = twins(pool, frame, 20 + kVxlanHeaders);
        for (Packet* packet : {&both.partial, &both.finished}) {
            rewrite::set_l4_u32(*packet, at, 0xdeadbeef);
        }
        CHECK(has_inner_partial_checksum(both.partial) == (at == 36));
        CHECK(finished_bytes(both.partial) == to_hex(both.finished.bytes()));
        CHECK(transport_checksum_right(both.finished));
    }
    Twins both = twins(pool, frame, 20 + kVxlanHeaders);
    rewrite::recompute_l4_checksum(both.partial);
    CHECK(to_hex(both.partial.bytes()) == to_hex(both.finished.bytes()));
}

TEST_CASE("a CRC over a packet is taken when what is in it is finished") {
    BufferPool pool;
    const Frame common(12);
    const Frame frame = ip(132, common + ip(6, tcp(0x18, counting(50), kInner), {kInner}));
    Twins both = twins(pool, frame, 52);
    for (Packet* packet : {&both.partial, &both.finished}) {
        rewrite::set_source(*packet, IpAddress::v4(192, 0, 2, 9));
    }
    CHECK(to_hex(both.partial.bytes()) == to_hex(both.finished.bytes()));
}

TEST_CASE("a checksum whose field is not there is not written") {
    BufferPool pool;
    const Frame frame = ip(17, udp(counting(20)));
    Packet packet = packet_of(pool, frame);
    packet.offload.checksum = ChecksumState::Partial;
    packet.offload.checksum_start = 40;
    packet.offload.checksum_offset = 7;
    rewrite::complete_checksum(packet);
    CHECK(packet.offload.checksum == ChecksumState::Complete);
    CHECK(to_hex(packet.bytes()) == to_hex(frame));
}
