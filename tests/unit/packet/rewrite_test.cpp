#include "core/packet/rewrite.hpp"

#include <doctest/doctest.h>

#include <array>
#include <utility>

#include "core/base/random.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

constexpr std::size_t kUdpChecksum = 20 + wire::udp::kChecksumOffset;
constexpr std::size_t kTcpChecksum = 20 + wire::tcp::kChecksumOffset;

bool header_checksum_right(const Packet& packet) {
    return wire::checksum(packet.bytes().first(packet.layout.l4_offset)) == 0;
}

void check_right(const Packet& packet) {
    CHECK((packet.layout.family == Family::Ipv6 || header_checksum_right(packet)));
    CHECK(transport_checksum_right(packet));
}

// The layout that was kept in step is the one a fresh look would give.
void check_in_step(const Packet& packet) {
    Packet fresh = packet.clone();
    REQUIRE(dissect(fresh).accepted());
    CHECK(fresh.layout.source == packet.layout.source);
    CHECK(fresh.layout.destination == packet.layout.destination);
    CHECK(fresh.layout.ttl == packet.layout.ttl);
    CHECK(fresh.layout.tos == packet.layout.tos);
}

Frame sctp(unsigned source_port) {
    Frame l4 = {0, 0, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 8, 'd', 'a', 't', 'a'};
    put16(l4, 0, source_port);
    const std::uint32_t crc = wire::crc32c(l4);
    for (unsigned i = 0; i < 4; ++i) {
        l4[8 + i] = static_cast<std::uint8_t>(crc >> 8 * i);
    }
    return l4;
}

}  // namespace

TEST_CASE("translated packets carry right checksums, in both families and all protocols") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        const IpAddress other =
            v4 ? IpAddress::v4(192, 0, 2, 99) : *parse_address("2001:db8:9::99");
        const std::vector<std::pair<unsigned, Frame>> packets = {
            {17, udp(counting(33), ends)},
            {6, tcp(0x18, counting(101), ends)},
            {v4 ? 1U : 58U, echo(counting(20), ends)}};
        for (const auto& [protocol, l4] : packets) {
            CAPTURE(protocol);
            Packet packet = packet_of(pool, ip(protocol, l4, {ends}));
            rewrite::set_source(packet, other);
            check_right(packet);
            rewrite::set_destination(packet, other);
            check_right(packet);
            if (protocol == 1 || protocol == 58) {
                rewrite::set_icmp_id(packet, 54321);
                CHECK(wire::load16(packet.l4().data() + 4) == 54321);
            } else {
                rewrite::set_source_port(packet, 61000);
                rewrite::set_destination_port(packet, 1);
                CHECK(wire::load16(packet.l4().data()) == 61000);
                CHECK(wire::load16(packet.l4().data() + 2) == 1);
            }
            rewrite::decrement_ttl(packet);
            rewrite::set_tos(packet, 0x2e);
            CHECK(packet.layout.ttl == 63);
            check_right(packet);
            check_in_step(packet);
        }
    }
}

TEST_CASE("out and back is the packet it was") {
    BufferPool pool;
    RandomSource random(5);
    for (int round = 0; round < 300; ++round) {
        const Frame l4 = round % 2 == 0 ? udp(counting(random.below(50)))
                                        : tcp(0x10, counting(random.below(50)));
        const Frame frame = ip(round % 2 == 0 ? 17 : 6, l4);
        Packet packet = packet_of(pool, frame);
        const IpAddress address = IpAddress::v4(random.next32() | 1);
        const auto port = static_cast<Port>(random.next32());
        rewrite::set_source(packet, address);
        rewrite::set_source_port(packet, port);
        check_right(packet);
        rewrite::set_source_port(packet, 40000);
        rewrite::set_source(packet, IpAddress::v4(10, 0, 0, 2));
        REQUIRE(to_hex(packet.bytes()) == to_hex(frame));
    }
}

TEST_CASE("a wrong checksum stays wrong by the same amount") {
    BufferPool pool;
    const Frame right = ip(6, tcp(0x10, counting(40)));
    Frame wrong = right;
    put16(wrong, kTcpChecksum, get16(packet_of(pool, right), kTcpChecksum) + 0x0101U);
    Packet a = packet_of(pool, right);
    Packet b = packet_of(pool, wrong);
    for (Packet* packet : {&a, &b}) {
        rewrite::set_source(*packet, IpAddress::v4(192, 0, 2, 1));
        rewrite::set_source_port(*packet, 7);
    }
    CHECK(transport_checksum_right(a));
    CHECK(get16(b, kTcpChecksum) == ((get16(a, kTcpChecksum) + 0x0101U) & 0xffff));
}

TEST_CASE("a UDP checksum of zero stays absent, in IPv6 as well") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        Frame l4 = udp(counting(9), ends);
        put16(l4, 6, 0);
        Packet packet = packet_of(pool, ip(17, l4, {ends}));
        rewrite::set_source(packet, v4 ? IpAddress::v4(192, 0, 2, 1) : *parse_address("fd00::9"));
        rewrite::set_source_port(packet, 5);
        rewrite::recompute_l4_checksum(packet);
        CHECK(wire::load16(packet.l4().data() + 6) == 0);
    }
}

TEST_CASE("a UDP checksum that becomes zero is sent as ones, a TCP checksum is not") {
    BufferPool pool;
    // The port that makes the sum of everything else vanish.
    const auto port_for_zero = [](const Packet& packet, std::size_t checksum) {
        const unsigned port = get16(packet, 20);
        return static_cast<Port>((port + get16(packet, checksum)) % 0xffff);
    };
    Packet datagram = packet_of(pool, ip(17, udp(counting(9))));
    rewrite::set_source_port(datagram, port_for_zero(datagram, kUdpChecksum));
    CHECK(get16(datagram, kUdpChecksum) == 0xffff);
    CHECK(transport_checksum_right(datagram));
    rewrite::recompute_l4_checksum(datagram);
    CHECK(get16(datagram, kUdpChecksum) == 0xffff);

    Packet segment = packet_of(pool, ip(6, tcp(0x10, counting(9))));
    rewrite::set_source_port(segment, port_for_zero(segment, kTcpChecksum));
    CHECK(get16(segment, kTcpChecksum) == 0);
    CHECK(transport_checksum_right(segment));
}

TEST_CASE("a partial checksum follows addresses, not ports, and is right when finished") {
    BufferPool pool;
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        Frame l4 = tcp(0x10, counting(77), ends);
        const std::uint16_t pseudo = wire::pseudo_header_sum(ends.source, ends.destination, 6,
                                                             static_cast<std::uint32_t>(l4.size()));
        put16(l4, 16, pseudo);
        Packet packet = packet_of(pool, ip(6, l4, {ends}));
        packet.offload.checksum = ChecksumState::Partial;
        packet.offload.checksum_start = packet.layout.l4_offset;
        packet.offload.checksum_offset = 16;

        rewrite::set_source_port(packet, 7);
        rewrite::set_l4_u32(packet, packet.layout.l4_offset + 4U, 0xdeadbeef);
        rewrite::recompute_l4_checksum(packet);
        CHECK(wire::load16(packet.l4().data() + 16) == pseudo);

        rewrite::set_source(packet, v4 ? IpAddress::v4(192, 0, 2, 1) : *parse_address("fd00::9"));
        CHECK(wire::load16(packet.l4().data() + 16) ==
              wire::pseudo_header_sum(packet.layout.source, packet.layout.destination, 6,
                                      packet.layout.l4_length()));
        rewrite::complete_checksum(packet);
        CHECK(packet.offload.checksum == ChecksumState::Complete);
        CHECK(transport_checksum_right(packet));
    }
}

TEST_CASE("an address and its port at once are both of them one after the other") {
    BufferPool pool;
    RandomSource random(11);
    enum class Sum : std::uint8_t { Complete, Outer, Inner };
    for (int round = 0; round < 2000; ++round) {
        const bool v4 = random.below(2) == 0;
        const Ends ends = v4 ? Ends{} : six();
        const std::array protocols = {std::pair(17U, udp(counting(random.below(50)), ends)),
                                      std::pair(6U, tcp(0x10, counting(random.below(50)), ends)),
                                      std::pair(132U, sctp(40000))};
        auto [protocol, l4] = protocols[random.below(3)];
        if (random.below(4) == 0) {
            l4.resize(protocol == 6 ? 8 : l4.size());  // cut off before the checksum
        } else if (protocol == 17 && random.below(4) == 0) {
            put16(l4, wire::udp::kChecksumOffset, 0);
        }
        Packet packet = packet_of(pool, ip(protocol, l4, {ends}));
        const auto sum = static_cast<Sum>(random.below(3));
        if (sum != Sum::Complete && protocol != 132 && l4.size() >= 40) {
            const bool inner = sum == Sum::Inner;
            packet.offload.checksum = ChecksumState::Partial;
            packet.offload.checksum_start =
                static_cast<std::uint16_t>(packet.layout.l4_offset + (inner ? 20 : 0));
            packet.offload.checksum_offset =
                static_cast<std::uint16_t>((protocol == 6 ? 16 : 6) - (inner ? 4 : 0));
        }
        Packet by_turns = packet.clone();
        const IpAddress address =
            v4 ? IpAddress::v4(random.next32() | 1) : *parse_address("2001:db8:9::99");
        const auto port = static_cast<Port>(random.next32());
        if (random.below(2) == 0) {
            rewrite::set_source_port(by_turns, port);
            rewrite::set_source(by_turns, address);
            rewrite::set_source_end(packet, address, port);
        } else {
            rewrite::set_destination_port(by_turns, port);
            rewrite::set_destination(by_turns, address);
            rewrite::set_destination_end(packet, address, port);
        }
        CAPTURE(protocol);
        CAPTURE(l4.size());
        REQUIRE(to_hex(packet.bytes()) == to_hex(by_turns.bytes()));
        CHECK(packet.offload.checksum == by_turns.offload.checksum);
        check_in_step(packet);
    }
}

TEST_CASE("later fragments and headers that were cut off have no checksum to mend") {
    BufferPool pool;
    Ip header;
    header.fragment = 185;
    const Frame frame = ip(17, counting(64), header);
    Packet later = packet_of(pool, frame);
    rewrite::set_source(later, IpAddress::v4(192, 0, 2, 1));
    CHECK(header_checksum_right(later));
    CHECK(to_hex(later.l4()) == to_hex(counting(64)));

    Frame eight = tcp(0x10, {});
    eight.resize(8);
    Packet cut = packet_of(pool, ip(6, eight));
    rewrite::set_source(cut, IpAddress::v4(192, 0, 2, 1));
    rewrite::set_source_port(cut, 9);
    eight[0] = 0;
    eight[1] = 9;
    CHECK(to_hex(cut.l4()) == to_hex(eight));
}

TEST_CASE("protocols without a checksum that NAT could mend keep their bytes") {
    BufferPool pool;
    for (const unsigned protocol : {253U, 47U, 50U, 33U}) {
        Packet packet = packet_of(pool, ip(protocol, counting(30)));
        rewrite::set_source(packet, IpAddress::v4(192, 0, 2, 1));
        CHECK(header_checksum_right(packet));
        CHECK(to_hex(packet.l4()) == to_hex(counting(30)));
    }
}

TEST_CASE("SCTP gets its CRC computed anew") {
    BufferPool pool;
    Packet packet = packet_of(pool, ip(132, sctp(1000)));
    rewrite::set_source_port(packet, 2000);
    CHECK(to_hex(packet.l4()) == to_hex(sctp(2000)));
    packet.l4()[8] ^= 0x55;  // even one that was wrong
    rewrite::set_source(packet, IpAddress::v4(192, 0, 2, 1));
    CHECK(to_hex(packet.l4()) == to_hex(sctp(2000)));
}

TEST_CASE("fields anywhere in the payload, at odd offsets too") {
    BufferPool pool;
    for (std::size_t at = 28; at < 28 + 20; ++at) {
        Packet packet = packet_of(pool, ip(17, udp(counting(33))));
        rewrite::set_l4_u16(packet, at, 0xa1b2);
        CHECK(get16(packet, at) == 0xa1b2);
        check_right(packet);
        rewrite::set_l4_u32(packet, at, 0xc3d4e5f6);
        CHECK(wire::load32(packet.data() + at) == 0xc3d4e5f6);
        check_right(packet);
    }
}

TEST_CASE("recomputing covers what the UDP length says") {
    BufferPool pool;
    Frame l4 = udp(counting(20));
    l4 = l4 + Frame{1, 2, 3, 4};  // behind the datagram
    Packet packet = packet_of(pool, ip(17, l4));
    const unsigned before = get16(packet, kUdpChecksum);
    put16(l4, 6, 0x1111);
    Packet spoiled = packet_of(pool, ip(17, l4));
    rewrite::recompute_l4_checksum(spoiled);
    CHECK(get16(spoiled, kUdpChecksum) == before);
}

TEST_CASE("TTL and TOS of IPv6 leave the flow label alone") {
    BufferPool pool;
    Frame frame = ip(17, udp({}, six()), {six()});
    wire::store32(frame.data(), 0x6ff12345);
    Packet packet = packet_of(pool, frame);
    rewrite::set_tos(packet, 0x5a);
    rewrite::set_ttl(packet, 9);
    CHECK(wire::load32(packet.data()) == 0x65a12345);
    CHECK(packet.data()[7] == 9);
    check_in_step(packet);
}
