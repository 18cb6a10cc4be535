// The errors the router sends: to whom, from whom, how large, how often.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr IfIndex kLan{1};
constexpr IfIndex kWan{2};

}  // namespace

TEST_CASE("errors: one over IPv4 quotes no more than the link it leaves by can take") {
    World w = given("");
    w.router().set_mtu(kLan, 100);
    const auto packet = udp("10.0.0.2:4000", "10.0.0.1:53").payload(200);
    w.when("lan", packet);
    w.expect("lan", ip(1, "10.0.0.1", "10.0.0.2").tos(0xc0).icmp(3, 3, 0).quoting(packet, 72));
}

TEST_CASE("errors: an IPv6 error has an address of the link its cause came in by") {
    World w = given({.rules_v6 = "*filter\n-A FORWARD -j REJECT\nCOMMIT\n"});
    w.when("lan", udp("[2001:db8::9]:4000", "[2001:db8::7]:53"));
    w.expect_icmp_from("wan", "fd00:1::1", 1, 4);
}

TEST_CASE("errors: a broadcast of a subnet is not rejected aloud") {
    World w = given(
        "*filter\n-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n-A INPUT -j REJECT\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:4000", "10.0.0.255:53")).expect_drop(DropReason::RuleReject);
    w.when("lan", tcp("10.0.0.2:4000", "10.0.0.255:53").syn()).expect_drop(DropReason::RuleReject);
    w.expect_nothing();
}

TEST_CASE("errors: path MTU discovery costs a sender nothing of what it may hear of lost routes") {
    World w = given("");
    w.sysctl("net.ipv4.icmp_ratelimit", "0");
    w.router().set_mtu(kWan, 600);
    REQUIRE(w.router().set_routes({}));
    for (int i = 0; i < 5; ++i) {
        w.when("lan", udp("10.0.0.2:4000", "192.0.2.7:53").payload(700).dont_fragment());
        w.expect_icmp("lan", 3, 4);
    }
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:53")).expect_icmp("lan", 3, 0);
}

TEST_CASE("errors: one about a protocol nobody knows is RELATED, whatever raw OUTPUT says") {
    World w = given(
        "*raw\n-A OUTPUT -j CT --notrack\nCOMMIT\n"
        "*filter\n-A OUTPUT -m conntrack --ctstate RELATED\nCOMMIT\n");
    w.when("lan", ip(89, "10.0.0.2", "10.0.0.1").payload(8)).expect_icmp("lan", 3, 2);
    w.expect_rule_packets("-A OUTPUT -m conntrack --ctstate RELATED", 1);
}

TEST_CASE("errors: a fragment without a whole transport header is answered") {
    World w = given("");
    w.when("lan", tcp("[fd00:1::2]:4000", "[fd00:1::1]:80").syn().payload(40).fragment(0, true, 8));
    w.expect_icmp("lan", 4, 3);
}

TEST_CASE("errors: the address of all routers of a subnet sends errors, but no echo and no reset") {
    World w = given("");
    w.when("lan", udp("[fd00:1::2]:4000", "[fd00:1::]:53"));
    w.expect_icmp_from("lan", "fd00:1::", 1, 4);
    w.when("lan", ping("fd00:1::2", "fd00:1::"));
    w.expect_icmp_from("lan", "fd00:1::1", 129, 0);
    w.when("lan", tcp("[fd00:1::2]:4000", "[fd00:1::]:80").syn());
    w.expect_nothing();
}

TEST_CASE("errors: ICMP types that once were reserved might be errors, and get none") {
    World w = given("*filter\n-A FORWARD -j REJECT\nCOMMIT\n");
    for (const int type : {1, 2, 6, 7, 9, 10, 19}) {
        w.when("lan", ip(1, "10.0.0.2", "198.51.100.7")
                          .icmp(static_cast<std::uint8_t>(type), 0, 0)
                          .payload(8));
        w.expect_drop(DropReason::RuleReject).expect_nothing();
    }
    w.when("lan", ip(1, "10.0.0.2", "198.51.100.7").icmp(14, 0, 0).payload(8));
    w.expect_icmp("lan", 3, 3);
}

TEST_CASE("errors: one that leaves by a gateway has the address of the gateway's network") {
    World w = given("");
    REQUIRE(w.router().add_address(IfIndex{2}, *parse_prefix("203.0.113.1/24")));
    REQUIRE(w.router().replace_route({*parse_prefix("0.0.0.0/0"), parse_address("203.0.113.254"),
                                      IfIndex{2}, routing::RouteType::Unicast}) ==
            routing::RouteChange::Done);
    w.when("wan", udp("198.51.100.7:4000", "10.0.0.2:53").ttl(1));
    w.expect_icmp_from("wan", "203.0.113.1", 11, 0);
}
