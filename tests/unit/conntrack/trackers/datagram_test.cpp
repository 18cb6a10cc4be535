// UDP, UDP-Lite, GRE and protocols without a tracker.
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

PacketBuilder ask() {
    return udp("10.0.0.2:4000", "198.51.100.7:53").payload(20);
}
PacketBuilder answer() {
    return udp("198.51.100.7:53", "10.0.0.2:4000").payload(40);
}

// GRE of version 1 with protocol PPP: flags, protocol, payload length, call id.
PacketBuilder gre(std::string_view from, std::string_view to, std::string_view header) {
    return ip(proto::kGre, from, to).data(header);
}
// The first octets of a UDP header, and nothing behind them.
Packet cut_udp(Firewall& wall, std::size_t length) {
    std::vector<std::uint8_t> bytes =
        ip(proto::kEsp, "10.0.0.2", "198.51.100.7").payload(length).bytes();
    const std::uint16_t before = wire::load16(&bytes[8]);
    bytes[9] = proto::kUdp;
    const std::uint16_t checksum =
        wire::update16(wire::load16(&bytes[10]), before, wire::load16(&bytes[8]));
    wire::store16(&bytes[10], checksum);
    Packet packet(wall.pool, bytes);
    REQUIRE(dissect(packet).accepted());
    return packet;
}

constexpr std::string_view kPptp("\x30\x01\x88\x0b\x00\x00\x12\x34", 8);

}  // namespace

TEST_CASE("udp: a question and its answer stay short; what still talks after 2 s is a stream") {
    Firewall wall;
    CHECK(wall.pass(ask()) == CtInfo::New);
    CHECK(wall.seconds() == 30);
    CHECK(wall.pass(answer()) == CtInfo::EstablishedReply);
    CHECK(wall.pass(ask()) == CtInfo::Established);
    CHECK_FALSE(wall.assured());
    CHECK(wall.seconds() == 30);
    wall.wait(2s);
    wall.pass(ask());
    CHECK_FALSE(wall.assured());  // exactly two seconds are not more than two seconds
    wall.wait(4ms);
    wall.pass(answer());
    CHECK(wall.assured());
    CHECK(wall.seconds() == 180);
}

TEST_CASE("udp: without an answer it never becomes a stream") {
    Firewall wall;
    wall.pass(ask());
    wall.wait(10s);
    CHECK(wall.pass(ask()) == CtInfo::New);
    CHECK_FALSE(wall.assured());
    CHECK(wall.seconds() == 30);
    wall.wait(31s);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("udp: checksums are verified on the way in, not on the router's own packets") {
    Firewall wall;
    CHECK(wall.pass(ask().bad_checksum()) == CtInfo::Invalid);
    Packet own = ask().bad_checksum().packet(wall.pool);
    REQUIRE(dissect(own).accepted());
    own.meta.locally_generated = true;
    CHECK(wall.conntrack.track(own, wall.now).accepted());
    CHECK(own.meta.ct_info == CtInfo::New);
    wall.conntrack.release(own);
    Packet offloaded = ask().bad_checksum().packet(wall.pool);
    REQUIRE(dissect(offloaded).accepted());
    offloaded.offload.checksum = ChecksumState::Verified;
    CHECK(wall.conntrack.track(offloaded, wall.now).accepted());
    CHECK(offloaded.meta.ct_info == CtInfo::New);
    wall.conntrack.release(offloaded);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("udp: a datagram that is cut short has no connection") {
    Firewall wall;
    for (const std::size_t length : {3, 4, 7}) {
        Packet packet = cut_udp(wall, length);
        CHECK(wall.conntrack.track(packet, wall.now).accepted());
        CHECK(packet.meta.ct_info == CtInfo::Invalid);
        CHECK(packet.meta.conn == ConnId::None);
    }
    CHECK(wall.conntrack.table().size() == 0);
    CHECK(wall.conntrack.stats().invalid == 3);
}

TEST_CASE("gre: calls are told apart by their id, plain GRE by its addresses") {
    Firewall wall;
    CHECK(wall.pass(gre("10.0.0.2", "198.51.100.7", kPptp)) == CtInfo::New);
    CHECK(wall.entry().original.destination_port == 0x1234);
    CHECK(wall.entry().reply.source_port == 0x1234);
    const std::string_view plain("\x00\x00\x08\x00", 4);
    CHECK(wall.pass(gre("10.0.0.2", "198.51.100.7", plain)) == CtInfo::New);
    CHECK(wall.pass(gre("198.51.100.7", "10.0.0.2", plain)) == CtInfo::EstablishedReply);
    const std::string_view other_payload("\x30\x01\x08\x00\x00\x00\x12\x34", 8);
    CHECK(wall.pass(gre("10.0.0.2", "198.51.100.7", other_payload)) == CtInfo::Invalid);
    CHECK(wall.conntrack.table().size() == 2);
}

TEST_CASE("gre: assured by the packet after the reply") {
    Firewall wall;
    const std::string_view plain("\x00\x00\x08\x00", 4);
    wall.pass(gre("10.0.0.2", "198.51.100.7", plain));
    wall.pass(gre("198.51.100.7", "10.0.0.2", plain));
    CHECK_FALSE(wall.assured());
    CHECK(wall.seconds() == 30);
    wall.pass(gre("10.0.0.2", "198.51.100.7", plain));
    CHECK(wall.assured());
    CHECK(wall.seconds() == 180);
}

TEST_CASE("generic: addresses and protocol make the connection; it is never assured") {
    Firewall wall;
    CHECK(wall.pass(ip(proto::kEsp, "10.0.0.2", "198.51.100.7").payload(8)) == CtInfo::New);
    CHECK(wall.pass(ip(proto::kEsp, "198.51.100.7", "10.0.0.2").payload(8)) ==
          CtInfo::EstablishedReply);
    wall.wait(10s);
    CHECK(wall.pass(ip(proto::kEsp, "10.0.0.2", "198.51.100.7").payload(8)) == CtInfo::Established);
    CHECK(wall.seconds() == 600);
    CHECK_FALSE(wall.assured());
    CHECK(conntrack::protocol_name(proto::kEsp) == "unknown");
}

TEST_CASE("generic: IPv6 without a next header has nothing to track") {
    Firewall wall;
    CHECK(wall.pass(ip(proto::kNoNext, "fd00::2", "2001:db8::7")) == CtInfo::Invalid);
    CHECK(wall.conntrack.stats().invalid == 1);
}
