// The router's own addresses: which it takes when a rule leaves it the choice, where what they are
// translated to leads, what rules see of them.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

void add_address(World& world, const char* interface, const char* prefix) {
    Router& router = world.router();
    REQUIRE(router.add_address(router.interfaces().find(interface)->index, *parse_prefix(prefix)));
}

void add_route(World& world, const char* to, const char* via) {
    REQUIRE(world.router().add_route({*parse_prefix(to), *parse_address(via), IfIndex::None,
                                      routing::RouteType::Unicast}) == routing::RouteChange::Done);
}

}  // namespace

TEST_CASE("masquerading takes the address of the gateway's network") {
    World w = given("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n");
    add_address(w, "wan", "203.0.113.1/24");
    add_route(w, "198.18.0.0/24", "203.0.113.254");

    w.when("lan", udp("10.0.0.2:4000", "198.18.0.9:53"));
    w.expect("wan", udp("203.0.113.1:4000", "198.18.0.9:53").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.18.1.9:53"));
    w.expect("wan", udp("192.0.2.1:4000", "198.18.1.9:53").ttl(63));
}

TEST_CASE("redirecting takes the first address of the incoming interface, whoever asks") {
    World w = given("*nat\n-A PREROUTING -i lan -p udp -j REDIRECT\nCOMMIT\n");
    add_address(w, "lan", "10.0.9.1/24");

    w.when("lan", udp("10.0.9.2:4000", "198.18.0.9:53"));
    w.expect_icmp("lan", 3, 3);
    w.expect_entry("src=10.0.0.1 dst=10.0.9.2");
}

TEST_CASE(
    "nat: GRE of an unknown version passes where its source changes, not where its destination "
    "does") {
    const std::string unknown("\x30\x85\x88\x0b\x00\x04\x00\x01", 8);
    World w = given("*nat\n-A POSTROUTING -o wan -p gre -j SNAT --to-source 192.0.2.1\nCOMMIT\n");
    w.when("lan", ip(47, "10.0.0.2", "198.51.100.7").data(unknown));
    w.expect("wan", ip(47, "192.0.2.1", "198.51.100.7").data(unknown).ttl(63));
    w.when("wan", ip(47, "198.51.100.7", "192.0.2.1").data(unknown));
    w.expect_drop(DropReason::NatUntranslatable);
}

TEST_CASE("nat: an answer whose translated destination has no route ends before filter sees it") {
    World w = given(
        "*nat\n-A INPUT -i lan -j SNAT --to-source 192.0.2.8\nCOMMIT\n"
        "*filter\n-A OUTPUT -p icmp\nCOMMIT\n");
    REQUIRE(w.router().set_routes({}));
    w.when("lan", ping("10.13.0.2", "192.0.2.1"));
    w.expect_drop(DropReason::NoRoute);
    w.expect_rule_packets("-A OUTPUT -p icmp", 0);
}

TEST_CASE("nat: rules behind NAT in OUTPUT see the interface of the first route") {
    World w = given(
        "*mangle\n-A POSTROUTING -o wan -p icmp\nCOMMIT\n"
        "*nat\n-A INPUT -i wan -j SNAT --to-source 10.0.0.77\nCOMMIT\n"
        "*filter\n-A OUTPUT -o lan -d 198.51.100.7\n-A OUTPUT -o wan\nCOMMIT\n");
    w.when("wan", ping("198.51.100.7", "192.0.2.1"));
    w.expect_icmp("wan", 0, 0);
    w.expect_rule_packets("-A OUTPUT -d 198.51.100.7/32 -o lan", 1);
    w.expect_rule_packets("-A OUTPUT -o wan", 0);
    w.expect_rule_packets("-A POSTROUTING -o wan -p icmp", 1);
}

TEST_CASE("nat: who wrote to a group and was translated hears from that group") {
    World w = given({.rules_v6 = "*nat\n-A PREROUTING -i wan -p tcp --dport 80 -j DNAT "
                                 "--to-destination [fd00:1::9]:1000\nCOMMIT\n"});
    w.when("wan", tcp("[2001:db8:7::7]:4000", "[ff02::1]:80").syn().seq(1000).ttl(1));
    w.expect_icmp_from("wan", "ff02::1", 3, 0);
    w.expect_no_entry();

    w.when("wan", tcp("[2001:db8:7::7]:4000", "[ff02::1]:80").syn().seq(1000));
    w.expect("lan", tcp("[2001:db8:7::7]:4000", "[fd00:1::9]:1000").syn().seq(1000).ttl(63));
    w.when("lan", tcp("[fd00:1::9]:1000", "[2001:db8:7::7]:4000").syn().ack(1001).seq(5000));
    w.expect("wan", tcp("[ff02::1]:80", "[2001:db8:7::7]:4000").syn().ack(1001).seq(5000).ttl(63));
}

TEST_CASE("addrtype: the address of the routers of a subnet is ANYCAST") {
    World::Setup setup;
    setup.rules_v6 =
        "*filter\n-A INPUT -m addrtype --dst-type LOCAL\n"
        "-A INPUT -m addrtype --dst-type ANYCAST\nCOMMIT\n";
    World w = given(std::move(setup));
    w.when("lan", udp("[fd00:1::2]:4000", "[fd00:1::]:53"));
    w.expect_icmp("lan", 1, 4);
    w.expect_rule_packets("-A INPUT -m addrtype --dst-type LOCAL", 0);
    w.expect_rule_packets("-A INPUT -m addrtype --dst-type ANYCAST", 1);
    w.when("lan", udp("[fd00:1::2]:4000", "[fd00:1::1]:53"));
    w.expect_icmp("lan", 1, 4);
    w.expect_rule_packets("-A INPUT -m addrtype --dst-type LOCAL", 1);
    w.expect_rule_packets("-A INPUT -m addrtype --dst-type ANYCAST", 1);
}
