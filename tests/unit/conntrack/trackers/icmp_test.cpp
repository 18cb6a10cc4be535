// Queries and errors of ICMP and ICMPv6.
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

PacketBuilder question() {
    return udp("10.0.0.2:4000", "198.51.100.7:53").payload(4);
}
PacketBuilder message(std::uint8_t type, std::uint8_t code, std::uint32_t rest) {
    return ip(proto::kIcmp, "10.0.0.2", "198.51.100.7").icmp(type, code, rest);
}
PacketBuilder unreachable(std::string_view from, std::string_view to) {
    return ip(proto::kIcmp, from, to).icmp(3, 1, 0);
}

}  // namespace

TEST_CASE("icmp: a ping, its answer and a second answer") {
    Firewall wall;
    const auto pong = ip(proto::kIcmp, "198.51.100.7", "10.0.0.2").icmp(0, 0, 0x00070001);
    CHECK(wall.pass(ping("10.0.0.2", "198.51.100.7", 7, 1)) == CtInfo::New);
    CHECK(wall.pass(pong) == CtInfo::EstablishedReply);
    CHECK(wall.pass(pong) == CtInfo::EstablishedReply);
    CHECK(wall.pass(ping("10.0.0.2", "198.51.100.7", 7, 2)) == CtInfo::Established);
    CHECK_FALSE(wall.assured());
    CHECK(wall.seconds() == 30);
}

TEST_CASE("icmp: id and code are part of the connection") {
    Firewall wall;
    CHECK(wall.pass(message(8, 3, 0x00070001)) == CtInfo::New);
    const auto answers = [&](std::uint8_t code, std::uint32_t rest) {
        return wall.pass(ip(proto::kIcmp, "198.51.100.7", "10.0.0.2").icmp(0, code, rest));
    };
    CHECK(answers(0, 0x00070001) == CtInfo::Invalid);
    CHECK(answers(3, 0x00080001) == CtInfo::Invalid);
    CHECK(answers(3, 0x00070001) == CtInfo::EstablishedReply);
}

TEST_CASE("icmp: four kinds of query begin a connection, nothing else does") {
    Firewall wall;
    for (const std::uint8_t type : std::initializer_list<std::uint8_t>{8, 13, 15, 17}) {
        CHECK(wall.pass(message(type, 0, type)) == CtInfo::New);
    }
    for (const std::uint8_t type :
         std::initializer_list<std::uint8_t>{0, 1, 2, 6, 7, 9, 10, 14, 16, 18}) {
        CHECK(wall.pass(message(type, 0, 1000u + type)) == CtInfo::Invalid);
    }
    CHECK(wall.conntrack.stats().invalid == 10);
    CHECK(wall.pass(message(19, 0, 0)) == CtInfo::Invalid);
    CHECK(wall.pass(message(8, 0, 99).bad_checksum()) == CtInfo::Invalid);
    CHECK(wall.conntrack.stats().icmp_error == 2);
    CHECK(wall.conntrack.stats().invalid == 10);
    CHECK(wall.conntrack.table().size() == 4);
}

TEST_CASE("icmp: an error belongs to what it quotes, refreshes nothing and answers nothing") {
    Firewall wall;
    wall.pass(question());
    wall.wait(10s);
    Packet error = wall.enter(unreachable("192.0.2.1", "10.0.0.2").quoting(question()));
    CHECK(error.meta.ct_info == CtInfo::RelatedReply);
    CHECK(error.meta.conn == *wall.only());
    CHECK(wall.seconds() == 20);
    CHECK_FALSE(wall.replied());
}

TEST_CASE("icmp: an error about the answer is RELATED in the original direction") {
    Firewall wall;
    const auto answer = udp("198.51.100.7:53", "10.0.0.2:4000").payload(4);
    wall.pass(question());
    wall.pass(answer);
    CHECK(wall.pass(unreachable("10.0.0.2", "198.51.100.7").quoting(answer)) == CtInfo::Related);
}

TEST_CASE("icmp: an error must reach the end that sent the quoted packet") {
    Firewall wall;
    wall.configure([](auto& settings) { settings.log_invalid = 1; });
    wall.conntrack.describe_packet = [](const Packet&) { return std::string("IN=wan"); };
    wall.pass(question());
    CHECK(wall.pass(unreachable("192.0.2.1", "10.0.0.3").quoting(question())) == CtInfo::Invalid);
    CHECK(wall.log.lines ==
          std::vector<std::string>{"nf_ct_proto_1: outer daddr 10.0.0.3 != inner 10.0.0.2 IN=wan"});
    CHECK(wall.conntrack.stats().icmp_error == 1);
    CHECK(wall.conntrack.stats().invalid == 0);
}

TEST_CASE("icmp: four octets of the quoted transport header are enough for ports") {
    Firewall wall;
    wall.pass(question());
    const auto error = unreachable("192.0.2.1", "10.0.0.2");
    CHECK(wall.pass(PacketBuilder(error).quoting(question(), 24)) == CtInfo::RelatedReply);
    CHECK(wall.pass(PacketBuilder(error).quoting(question(), 23)) == CtInfo::Invalid);
    CHECK(wall.pass(PacketBuilder(error).quoting(question(), 12)) == CtInfo::Invalid);
    CHECK(wall.pass(PacketBuilder(error)) == CtInfo::Invalid);
}

TEST_CASE("icmp: an error about nothing we know is INVALID") {
    Firewall wall;
    CHECK(wall.pass(unreachable("192.0.2.1", "10.0.0.2").quoting(question())) == CtInfo::Invalid);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("icmpv6: echo and node information are tracked, neighbour discovery is not") {
    Firewall wall;
    const auto from = [](std::uint8_t type) {
        return ip(proto::kIcmpv6, "fd00::2", "2001:db8::7").icmp(type, 0, 0x00050001);
    };
    CHECK(wall.pass(from(128)) == CtInfo::New);
    CHECK(wall.pass(ip(proto::kIcmpv6, "2001:db8::7", "fd00::2").icmp(129, 0, 0x00050001)) ==
          CtInfo::EstablishedReply);
    CHECK(wall.pass(from(139)) == CtInfo::New);
    for (const std::uint8_t type :
         std::initializer_list<std::uint8_t>{130, 131, 132, 133, 134, 135, 136, 143}) {
        CHECK(wall.pass(from(type)) == CtInfo::Untracked);
    }
    CHECK(wall.pass(from(129)) == CtInfo::Invalid);
    CHECK(wall.pass(from(144)) == CtInfo::Invalid);
    CHECK(wall.conntrack.table().size() == 2);
}

TEST_CASE("icmpv6: packet too big belongs to what it quotes") {
    Firewall wall;
    const auto big = udp("[fd00::2]:4000", "[2001:db8::7]:53").payload(4);
    wall.pass(big);
    CHECK(
        wall.pass(ip(proto::kIcmpv6, "2001:db8::1", "fd00::2").icmp(2, 0, 1280).quoting(big, 48)) ==
        CtInfo::RelatedReply);
}

TEST_CASE("icmp: of the other family it is INVALID") {
    Firewall wall;
    CHECK(wall.pass(ip(proto::kIcmpv6, "10.0.0.2", "198.51.100.7").icmp(128, 0, 1)) ==
          CtInfo::Invalid);
    CHECK(wall.conntrack.stats().invalid == 1);
}
