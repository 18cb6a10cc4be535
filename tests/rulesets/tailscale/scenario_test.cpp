// A Tailscale node that advertises a subnet.
#include <doctest/doctest.h>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

TEST_CASE("tailscale: addresses of the tailnet are believed on its own interface alone") {
    World w = running("tailscale");
    const auto ssh = [](const char* from, const char* to) { return tcp(from, to).syn(); };
    w.when("eth0", ssh("100.64.1.1:5000", "192.0.2.70:22")).expect_drop(DropReason::RuleDrop);
    reaches_router(w, "tailscale0", ssh("100.64.1.1:5000", "100.101.102.103:22"));
    reaches_router(w, "eth0", ssh("100.115.92.7:5000", "192.0.2.70:22"));
    w.when("eth1", ssh("100.99.0.1:5000", "100.64.0.9:80")).expect_drop(DropReason::RuleDrop);
}

TEST_CASE("tailscale: the subnet sees the node's address, marked on the way in") {
    World w = running("tailscale");
    w.when("tailscale0", tcp("100.64.0.9:5000", "10.60.0.20:80").syn().seq(1));
    w.expect("eth1", onward(tcp("10.60.0.1:5000", "10.60.0.20:80").syn().seq(1)));
    w.expect_rule_packets("-A ts-postrouting -m mark --mark 0x40000/0xff0000 -j MASQUERADE", 1);
    w.when("eth1", tcp("10.60.0.20:80", "10.60.0.1:5000").syn().seq(7).ack(2));
    w.expect("tailscale0", onward(tcp("10.60.0.20:80", "100.64.0.9:5000").syn().seq(7).ack(2)));
}

TEST_CASE("tailscale: the subnet reaches the tailnet as itself; the tunnel's port is open") {
    World w = running("tailscale");
    w.when("eth1", tcp("10.60.0.20:4000", "100.64.0.9:80").syn().seq(1));
    w.expect("tailscale0", onward(tcp("10.60.0.20:4000", "100.64.0.9:80").syn().seq(1)));
    reaches_router(w, "eth0", udp("198.51.100.9:41641", "192.0.2.70:41641").data("wg"));
    w.expect_rule_packets("-A ts-input -p udp -m udp --dport 41641 -j ACCEPT", 1);
}

TEST_CASE("tailscale: IPv6 likewise") {
    World w = running("tailscale");
    w.when("tailscale0", tcp("[fd7a:115c:a1e0::9]:5000", "[2001:db8:9::7]:443").syn().seq(1));
    w.expect("eth0", onward(tcp("[2001:db8:8::70]:5000", "[2001:db8:9::7]:443").syn().seq(1)));
}
