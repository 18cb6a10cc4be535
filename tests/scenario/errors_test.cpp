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
    w.router().forwarding().icmp_ratelimit = 0;
    w.router().set_mtu(kWan, 600);
    w.router().clear_routes();
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
