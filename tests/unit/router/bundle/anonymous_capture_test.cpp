// Packets with other addresses: checksums that were right are right, and nothing but headers is
// left.
#include "router/bundle/anonymous_capture.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <vector>

#include "core/packet/checksum.hpp"
#include "core/packet/dissect.hpp"
#include "router/capture/pcapng.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::router {
namespace {

using namespace nsr::test;

using Bytes = std::vector<std::uint8_t>;

const Anonymizer& anonymizer() {
    static const Anonymizer made(SipKey{3, 4});
    return made;
}

// The whole of it, as it is afterwards; nothing but its headers is there.
Packet other(const PacketBuilder& real) {
    static BufferPool pool;
    const Packet packet = real.packet(pool);
    const auto bytes = anonymous_packet(packet.bytes(), anonymizer());
    REQUIRE(bytes.has_value());
    return Packet(pool, *bytes);
}

void check_checksums(Packet packet) {
    REQUIRE(dissect(packet).accepted());
    CHECK(checksum_right(packet, whole_transport(packet, packet.layout.protocol)));
}

}  // namespace

TEST_CASE("anonymous packets: addresses are others, checksums are right") {
    for (const PacketBuilder& real :
         {tcp("10.0.0.2:4000", "192.0.2.7:80").syn(), udp("10.0.0.2:4000", "192.0.2.7:53"),
          ping("10.0.0.2", "192.0.2.7"), tcp("[fd00:1::2]:4000", "[2001:db8::7]:80").syn(),
          udp("[fd00:1::2]:4000", "[2001:db8::7]:53"), ping("fd00:1::2", "2001:db8::7")}) {
        Packet packet = other(real);
        check_checksums(packet.clone());
        REQUIRE(dissect(packet).accepted());
        BufferPool pool;
        Packet before = real.packet(pool);
        REQUIRE(dissect(before).accepted());
        CHECK(packet.layout.source == anonymizer().address(before.layout.source));
        CHECK(packet.layout.destination == anonymizer().address(before.layout.destination));
    }
}

TEST_CASE("anonymous packets: an error's quoted packet has the same other addresses") {
    const auto quoted = udp("10.0.0.2:4000", "192.0.2.7:53");
    Packet packet = other(ip(1, "192.0.2.7", "10.0.0.2").icmp(3, 3, 0).quoting(quoted));
    check_checksums(packet.clone());
    REQUIRE(dissect(packet).accepted());
    const Bytes inner(packet.l4().begin() + 8, packet.l4().end());
    CHECK(IpAddress::from_wire(Family::Ipv4, &inner[12]) ==
          anonymizer().address(*parse_address("10.0.0.2")));
    CHECK(IpAddress::from_wire(Family::Ipv4, &inner[16]) ==
          anonymizer().address(*parse_address("192.0.2.7")));
}

TEST_CASE("anonymous packets: nothing of the payload is left, and a cut packet stays one") {
    BufferPool pool;
    const Packet packet = tcp("10.0.0.2:4000", "192.0.2.7:80").data("secret").packet(pool);
    const auto bytes = anonymous_packet(packet.bytes(), anonymizer());
    REQUIRE(bytes.has_value());
    CHECK(bytes->size() == 40);
    for (std::size_t length = 0; length < packet.size(); ++length) {
        const auto cut = anonymous_packet(packet.bytes().subspan(0, length), anonymizer());
        CHECK((!cut || cut->size() <= length));
    }
}

TEST_CASE("anonymous packets: where addresses would not be found, none is shown") {
    BufferPool pool;
    const Packet packet = udp("10.0.0.2:4000", "192.0.2.7:53").payload(40).packet(pool);
    Bytes with_options(packet.bytes().begin(), packet.bytes().end());
    with_options[0] = 0x46;
    CHECK_FALSE(anonymous_packet(with_options, anonymizer()).has_value());
    CHECK_FALSE(anonymous_packet(Bytes{0x60, 0, 0}, anonymizer()).has_value());
    CHECK_FALSE(anonymous_packet(Bytes{}, anonymizer()).has_value());
    CHECK_FALSE(anonymous_packet(Bytes(64, 0x11), anonymizer()).has_value());
}

TEST_CASE("anonymous capture: comments, ids and lengths go with the packets") {
    BufferPool pool;
    const Packet packet = udp("10.0.0.2:4000", "192.0.2.7:53").payload(100).packet(pool);
    std::ostringstream text;
    PcapngWriter writer(text, {"lan", "wan"});
    writer.packet(5000, 1, packet.bytes(),
                  {.comment = "id=7 in; left by wan; source 10.0.0.2:4000 -> 192.0.2.1:4000"});
    writer.packet(6000, 0, Bytes(64, 0x11), "id=8 in; dropped");
    const AnonymousCapture made = anonymous_capture(text.str(), anonymizer());
    CHECK(made.left_out == 1);
    std::istringstream in(made.pcapng);
    PcapngReader reader(in);
    Frame frame;
    REQUIRE(reader.next(frame));
    CHECK(frame.interface == "wan");
    CHECK(frame.time_ns == 5000);
    CHECK(frame.original_length == 128);
    CHECK(frame.bytes.size() == 28);
    CHECK(frame.comment.find("id=7 in; left by wan; source ") == 0);
    CHECK(frame.comment.find("10.0.0.2") == std::string::npos);
    CHECK_FALSE(reader.next(frame));
}

}  // namespace nsr::router
