// An Ubuntu server with ufw.
#include <doctest/doctest.h>

#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

TEST_CASE("ufw: allowed ports, a rejected one, and the rest, which is logged and dropped") {
    World w = running("ufw");
    for (const char* open : {"192.0.2.40:80", "192.0.2.40:443"}) {
        reaches_router(w, "eth0", tcp("198.51.100.9:5000", open).syn());
    }
    w.when("eth0", tcp("198.51.100.9:5000", "192.0.2.40:23").syn().seq(1));
    w.expect("eth0",
             tcp("192.0.2.40:23", "198.51.100.9:5000").rst().ack(2).win(0).id(0).dont_fragment());
    w.expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp("198.51.100.9:5000", "192.0.2.40:8080").syn());
    w.expect_drop(DropReason::PolicyDrop);
    CHECK(w.log().back().find("[UFW BLOCK] IN=eth0 OUT= ") == 0);
    w.when("eth0", udp("203.0.113.66:5000", "192.0.2.40:51820"));
    w.expect_drop(DropReason::RuleDrop);
}

TEST_CASE("ufw: `limit` lets five connections in half a minute, and rejects the sixth") {
    World w = running("ufw");
    const auto attempt = [](int port) {
        return tcp("198.51.100.9:" + std::to_string(port), "192.0.2.40:22").syn();
    };
    for (int i = 0; i < 5; ++i) {
        reaches_router(w, "eth0", attempt(5000 + i));
    }
    w.when("eth0", attempt(5005)).expect_icmp("eth0", 3, 3).expect_drop(DropReason::RuleReject);
    CHECK(w.log().back().find("[UFW LIMIT BLOCK] IN=eth0 ") == 0);
    w.after(31s);
    reaches_router(w, "eth0", attempt(5006));
}

TEST_CASE("ufw: noise of a network is dropped without a word") {
    World w = running("ufw");
    const std::size_t lines = w.log().size();
    w.when("eth0", udp("192.0.2.9:137", "192.0.2.40:137")).expect_drop(DropReason::RuleDrop);
    w.when("eth0", udp("192.0.2.9:9999", "192.0.2.255:9999")).expect_drop(DropReason::RuleDrop);
    CHECK(w.log().size() == lines);
    w.expect_rule_packets("-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN", 1);
}

TEST_CASE("ufw: the network of the tunnel is masqueraded; nobody else is forwarded") {
    World w = running("ufw");
    w.when("wg0", tcp("10.8.0.5:4000", "198.51.100.7:443").syn().seq(1));
    w.expect("eth0", onward(tcp("192.0.2.40:4000", "198.51.100.7:443").syn().seq(1)));
    w.when("eth0", tcp("198.51.100.7:443", "192.0.2.40:4000").syn().seq(7).ack(2));
    w.expect("wg0", onward(tcp("198.51.100.7:443", "10.8.0.5:4000").syn().seq(7).ack(2)));
    w.when("eth0", tcp("198.51.100.7:443", "10.8.0.5:22").syn());
    w.expect_drop(DropReason::PolicyDrop);
}

TEST_CASE(
    "ufw: IPv6 has rules of its own: ping and https, no routing header, neighbours one hop away") {
    World w = running("ufw");
    w.when("eth0", ping("2001:db8:9::9", "2001:db8:3::40")).expect_icmp("eth0", 129, 0);
    reaches_router(w, "eth0", tcp("[2001:db8:9::9]:5000", "[2001:db8:3::40]:443").syn());
    w.when("eth0", tcp("[2001:db8:9::9]:5000", "[2001:db8:3::40]:8080").syn());
    w.expect_drop(DropReason::PolicyDrop);
    w.when("eth0", ip(58, "2001:db8:9::9", "2001:db8:3::40").icmp(136, 0, 0).payload(16).ttl(254));
    w.expect_drop(DropReason::PolicyDrop);
}
