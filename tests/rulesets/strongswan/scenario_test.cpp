// A gateway with strongSwan. Here there is no IPsec, as with its tunnels down.
#include <doctest/doctest.h>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {
constexpr const char* kPeer = "198.51.100.9";
}

TEST_CASE("strongswan: IKE and ESP reach the gateway, other services do not") {
    World w = running("strongswan");
    reaches_router(w, "eth0", udp("198.51.100.9:500", "192.0.2.80:500").data("ike"));
    reaches_router(w, "eth0", udp("198.51.100.9:4500", "192.0.2.80:4500").data("natt"));
    w.when("eth0", ip(50, kPeer, "192.0.2.80").data("sealed payload"));
    w.expect_icmp("eth0", 3, 2).expect_drop(DropReason::LocalNoProtocol);
    w.when("eth0", tcp("198.51.100.9:5000", "192.0.2.80:22").syn());
    w.expect_drop(DropReason::PolicyDrop);
    w.when("eth0", udp("198.51.100.9:1701", "192.0.2.80:1701").data("l2tp in clear"));
    w.expect_drop(DropReason::PolicyDrop);
}

TEST_CASE("strongswan: with the tunnel down nothing goes to the other site in clear") {
    World w = running("strongswan");
    w.when("eth1", tcp("10.10.0.5:4000", "10.20.0.9:80").syn());
    w.expect_icmp("eth1", 3, 9).expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp("10.20.0.9:4000", "10.10.0.5:80").syn()).expect_drop(DropReason::RuleDrop);
    w.when("eth0", tcp("10.20.0.9:4000", "10.10.0.1:80").syn());
    w.expect_drop(DropReason::PolicyDrop);
    w.expect_no_entry();
}

TEST_CASE("strongswan: the internet is reached behind the gateway") {
    World w = running("strongswan");
    w.when("eth1", tcp("10.10.0.5:4000", "203.0.113.7:443").syn().seq(1));
    w.expect("eth0", onward(tcp("192.0.2.80:4000", "203.0.113.7:443").syn().seq(1)));
    w.expect_rule_packets(
        "-A POSTROUTING -s 10.10.0.0/16 -o eth0 -m policy --dir out --pol ipsec -j ACCEPT", 0);
}
