// Links that go down, devices that refuse, and datagrams that no link can take.
#include <doctest/doctest.h>

#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kMasquerade = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";
constexpr IfIndex kWan{2};

}  // namespace

TEST_CASE(
    "link down: masqueraded connections end, its routes are gone, its addresses stay the "
    "router's") {
    World w = given(kMasquerade);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("x")).forget();
    w.when("lan", udp("10.0.0.3:4000", "10.0.0.1:53").data("x")).forget();
    w.expect_entries(2);
    w.router().set_up(kWan, false, w.now());
    w.expect_entries(1).expect_entry("dst=10.0.0.1");
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:53").data("x"));
    w.expect_icmp("lan", 3, 0).expect_drop(DropReason::NoRoute);
    w.when("lan", ping("10.0.0.2", "192.0.2.1"))
        .expect("lan", ip(1, "192.0.2.1", "10.0.0.2").icmp(0, 0, 0x00010001));
}

TEST_CASE("link up again: the connected route comes back, the configured one does not") {
    World w = given("");
    w.router().set_up(kWan, false, w.now());
    w.router().set_up(kWan, true, w.now());
    w.when("lan", udp("10.0.0.2:4000", "192.0.2.9:53").data("x"));
    w.expect("wan", udp("10.0.0.2:4000", "192.0.2.9:53").data("x").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("x")).expect_icmp("lan", 3, 0);
    CHECK(w.router().add_route({*parse_prefix("0.0.0.0/0"), parse_address("192.0.2.254"), kWan,
                                routing::RouteType::Unicast}) == routing::RouteChange::Done);
}

TEST_CASE("a packet that its device did not take is counted, and so is the link's loss") {
    World w = given("");
    w.router().egress_failed(kWan, DropReason::EgressFailed);
    CHECK(w.router().drops().of(DropReason::EgressFailed) == 1);
    CHECK(w.router().interfaces().get(kWan).counters.tx_dropped == 1);
}

namespace {

// A fragment of an IPv6 datagram that begins with destination options as long as the first piece.
Packet fragment_of_options(BufferPool& pool, std::uint16_t offset, std::size_t length, bool more) {
    std::vector<std::uint8_t> bytes(48 + length);
    bytes[0] = 0x60;
    wire::store16(&bytes[4], static_cast<std::uint16_t>(8 + length));
    bytes[6] = 44;
    bytes[7] = 64;
    const IpAddress source = *parse_address("fd00:1::2");
    const IpAddress destination = *parse_address("2001:db8:1::7");
    for (std::size_t i = 0; i < 4; ++i) {
        wire::store32(&bytes[8 + 4 * i], source.words[i]);
        wire::store32(&bytes[24 + 4 * i], destination.words[i]);
    }
    bytes[40] = 60;
    wire::store16(&bytes[42], static_cast<std::uint16_t>(offset | (more ? 1 : 0)));
    bytes[47] = 1;
    if (offset == 0) {  // one destination options header of 1240 bytes, then nothing
        bytes[48] = 59;
        bytes[49] = 154;
        for (std::size_t at = 50; at + 2 <= 48 + length; at += 256) {
            bytes[at] = 1;
            bytes[at + 1] =
                static_cast<std::uint8_t>(std::min<std::size_t>(254, 48 + length - at - 2));
        }
    }
    Packet packet(pool, bytes);
    packet.meta.in = IfIndex{1};
    return packet;
}

}  // namespace

TEST_CASE("an IPv6 datagram whose headers fill every piece is too big, and its sender is told") {
    World w = given("");
    EgressQueue out;
    for (const bool first : {true, false}) {
        Packet packet = fragment_of_options(w.pool(), first ? 0 : 1240, first ? 1240 : 1000, first);
        w.router().receive({&packet, 1}, w.now(), out);
    }
    w.expect_drop(DropReason::TooBig);
    REQUIRE(out.size() == 1);
    CHECK(out[0].meta.out == IfIndex{1});
    CHECK(out[0].l4()[0] == 2);
    CHECK(wire::load32(out[0].l4().data() + 4) == 1288);
}

TEST_CASE("errors: path MTU discovery is not rate limited") {
    World w = given("");
    w.sysctl("net.ipv4.icmp_ratelimit", "1000");
    w.sysctl("net.ipv6.icmp.ratelimit", "1000");
    w.router().set_mtu(kWan, 1300);
    for (int i = 0; i < 10; ++i) {
        w.when(
            "lan",
            udp("10.0.0.2:4000", "198.51.100.7:53").data(std::string(1400, 'x')).dont_fragment());
        w.expect_icmp("lan", 3, 4);
        w.when("lan", udp("[fd00:1::2]:4000", "[2001:db8:9::7]:53").data(std::string(1400, 'x')));
        w.expect_icmp("lan", 2, 0);
    }
    for (int i = 0; i < 6; ++i) {
        w.when("lan", udp("10.0.0.2:4000", "10.0.0.1:53")).expect_icmp("lan", 3, 3);
    }
    w.when("lan", udp("10.0.0.2:4000", "10.0.0.1:53")).expect_nothing();
}

TEST_CASE("redirect: a link without an address has none to redirect to") {
    World w = given("*nat\n-A PREROUTING -p udp -j REDIRECT --to-ports 5300\nCOMMIT\n");
    CHECK(w.router().remove_address(IfIndex{1}, *parse_prefix("10.0.0.1/24"), w.now()));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53")).expect_drop(DropReason::RuleDrop);
}

TEST_CASE("routes: a deleted connected route comes back with its address") {
    World w = given("");
    const Prefix wan = *parse_prefix("192.0.2.0/24");
    CHECK(w.router().remove_route({wan, std::nullopt, kWan, routing::RouteType::Unicast}));
    CHECK_FALSE(w.router().remove_route({wan, std::nullopt, kWan, routing::RouteType::Unicast}));
    REQUIRE(w.router().set_routes({}));
    w.when("lan", udp("10.0.0.2:4000", "192.0.2.9:53")).expect_icmp("lan", 3, 0);
    w.when("lan", ping("10.0.0.2", "192.0.2.1"))
        .expect("lan", ip(1, "192.0.2.1", "10.0.0.2").icmp(0, 0, 0x00010001));
    const Prefix own = *parse_prefix("192.0.2.1/24");
    CHECK(w.router().remove_address(kWan, own, w.now()));
    CHECK(w.router().add_address(kWan, own));
    w.when("lan", udp("10.0.0.2:4000", "192.0.2.9:53"));
    w.expect("wan", udp("10.0.0.2:4000", "192.0.2.9:53").ttl(63));
}
