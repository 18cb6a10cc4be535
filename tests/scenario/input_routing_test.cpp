// What may come in: impossible sources, groups, the reverse path.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

TEST_CASE("input: 0.1.2.3 is an address like others, 0.0.0.0 asks nobody beyond the link") {
    World w = given("");
    w.when("lan", udp("0.1.2.3:4000", "198.51.100.7:53"));
    w.expect("wan", udp("0.1.2.3:4000", "198.51.100.7:53").ttl(63));
    w.when("lan", udp("0.0.0.0:68", "198.51.100.7:53")).expect_drop(DropReason::MartianSource);
    w.when("lan", udp("0.0.0.0:68", "224.0.0.1:53")).expect_entry("src=0.0.0.0 dst=224.0.0.1");
}

TEST_CASE("input: sources of what is sent to a group are judged, too") {
    World w = given("");
    w.when("lan", udp("10.0.0.1:4000", "224.0.0.1:53")).expect_drop(DropReason::MartianSource);
    w.sysctl("net.ipv4.conf.all.rp_filter", "1");
    w.when("lan", udp("192.0.2.7:4000", "224.0.0.1:53")).expect_drop(DropReason::ReversePathFilter);
}

TEST_CASE("input: of the IPv6 groups the router is only in that of all nodes") {
    World w = given("");
    w.when("lan", udp("[fd00:1::2]:4000", "[ff02::fb]:53")).expect_drop(DropReason::NotForwardable);
    w.when("lan", udp("[fd00:1::2]:4000", "[ff02::1]:53")).expect_entry("dst=ff02");
    w.expect_entries(1);
}

TEST_CASE(
    "input: link-local addresses stay on their link, though a default route leads elsewhere") {
    World w = given("");
    w.when("lan", udp("[fd00:1::2]:4000", "[fe80::9]:53"));
    w.expect_icmp("lan", 1, 0).expect_drop(DropReason::NoRoute);
    w.when("lan", udp("[fe80::2]:4000", "[2001:db8:9::7]:53"));
    w.expect_drop(DropReason::NoRoute).expect_drop(DropReason::NotForwardable);
    w.when("lan", ping("fe80::2", "fd00:1::1")).expect_drop(DropReason::NoRoute);
    const auto back = udp("[fe80::2]:4000", "[fd00:1::3]:53");
    w.when("lan", back).expect("lan", PacketBuilder(back).ttl(63));
}

TEST_CASE("input: two links that have the same link-local network do not lead to each other") {
    World w = given("");
    CHECK(w.router().add_address(IfIndex{1}, *parse_prefix("fe80::1/64")));
    CHECK(w.router().add_address(IfIndex{2}, *parse_prefix("fe80::2/64")));
    w.when("wan", ping("fe80::8", "fe80::2")).expect_icmp_from("wan", "fe80::2", 129, 0);
    for (const char* link : {"lan", "wan"}) {
        const auto packet = udp("[fe80::8]:4000", "[fe80::9]:53");
        w.when(link, packet).expect(link, PacketBuilder(packet).ttl(63));
    }
}

TEST_CASE("input: who says that he is a whole network gets no answer") {
    World w = given("*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n");
    w.when("lan", ping("10.0.0.255", "10.0.0.1")).expect_drop(DropReason::NoRoute);
    w.when("lan", tcp("10.0.0.255:4000", "10.0.0.1:22").syn()).expect_drop(DropReason::NoRoute);
    w.forget();
    w.when("lan", tcp("10.0.0.255:4000", "198.51.100.7:22").syn()).expect_drop(DropReason::NoRoute);
    w.expect_nothing();
}

TEST_CASE("input: what was set for an interface before it was there counts") {
    Router::Options options;
    const auto first = static_cast<IfIndex>(1);
    const auto second = static_cast<IfIndex>(2);
    options.settings.forwarding.rp_filter.set(second, 2);
    Router router(std::move(options));
    router.add_interface(routing::Interface());
    router.add_interface(routing::Interface());
    CHECK(router.settings().forwarding.rp_filter.of(first) == 0);
    CHECK(router.settings().forwarding.rp_filter.of(second) == 2);
}
