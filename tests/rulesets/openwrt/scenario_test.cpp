// A router with OpenWrt's fw3: zones, reflection, helpers, offloading.
#include <doctest/doctest.h>

#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {
constexpr const char* kOutside = "198.51.100.9:5000";
constexpr const char* kLaptop = "192.168.1.30:40000";
}  // namespace

TEST_CASE("openwrt: lan goes out masqueraded, and its answers pass though nothing is offloaded") {
    World w = running("openwrt");
    w.when("br-lan", tcp(kLaptop, "203.0.113.7:443").syn().seq(1).options(mss(1460)));
    w.expect("eth1",
             onward(tcp("198.51.100.20:40000", "203.0.113.7:443").syn().seq(1).options(mss(1460))));
    w.when("eth1",
           tcp("203.0.113.7:443", "198.51.100.20:40000").syn().seq(7).ack(2).options(mss(1460)));
    w.expect("br-lan",
             onward(tcp("203.0.113.7:443", kLaptop).syn().seq(7).ack(2).options(mss(1460))));
    w.expect_rule_packets(
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment \"!fw3\" -j "
        "ACCEPT",
        1);
}

TEST_CASE("openwrt: guests have the internet and a resolver, and nothing of lan") {
    World w = running("openwrt");
    w.when("br-guest", udp("192.168.3.9:4000", "203.0.113.7:443").data("?"));
    w.expect("eth1", onward(udp("198.51.100.20:4000", "203.0.113.7:443").data("?")));
    w.when("br-guest", tcp("192.168.3.9:4000", "192.168.1.30:80").syn().seq(1));
    w.expect("br-guest",
             tcp("192.168.1.30:80", "192.168.3.9:4000").rst().ack(2).win(0).id(0).dont_fragment());
    w.expect_drop(DropReason::RuleReject);
    reaches_router(w, "br-guest", udp("192.168.3.9:4000", "192.168.3.1:53").data("?"));
    w.when("br-guest", udp("192.168.3.9:4000", "192.168.3.1:123").data("?"));
    w.expect_icmp("br-guest", 3, 3).expect_drop(DropReason::RuleReject);
}

TEST_CASE("openwrt: a port forward works from wan, and by reflection from lan") {
    World w = running("openwrt");
    w.when("eth1", tcp(kOutside, "198.51.100.20:8443").syn().seq(1).options(mss(1460)));
    w.expect("br-lan", onward(tcp(kOutside, "192.168.1.10:443").syn().seq(1).options(mss(1460))));
    w.when("br-lan", tcp(kLaptop, "198.51.100.20:8443").syn().seq(1));
    w.expect("br-lan", onward(tcp("192.168.1.1:40000", "192.168.1.10:443").syn().seq(1)));
    w.when("br-lan", tcp("192.168.1.10:443", "192.168.1.1:40000").syn().seq(7).ack(2));
    w.expect("br-lan", onward(tcp("198.51.100.20:8443", kLaptop).syn().seq(7).ack(2)));
}

TEST_CASE("openwrt: wan may ping, not log in; SYNs have a rate; INVALID does not leave") {
    World w = running("openwrt");
    w.when("eth1", ping("198.51.100.9", "198.51.100.20")).expect_icmp("eth1", 0, 0);
    w.when("eth1", tcp(kOutside, "198.51.100.20:22").syn().seq(1));
    w.expect("eth1", tcp("198.51.100.20:22", kOutside).rst().ack(2).win(0).id(0).dont_fragment());
    w.expect_drop(DropReason::RuleReject);
    for (int i = 0; i < 49; ++i) {
        w.when("eth1", tcp("203.0.113.9:" + std::to_string(6000 + i), "198.51.100.20:22").syn());
    }
    w.forget();
    w.when("eth1", tcp(kOutside, "198.51.100.20:22").syn()).expect_drop(DropReason::RuleDrop);
    w.when("br-lan", tcp(kLaptop, "203.0.113.7:443").rst().seq(1).ack(1));
    w.expect_drop(DropReason::RuleDrop);
}

TEST_CASE("openwrt: IPv6 passes outwards; inwards ICMPv6 alone") {
    World w = running("openwrt");
    const auto out =
        tcp("[2001:db8:70::30]:40000", "[2001:db8:9::7]:443").syn().seq(1).options(mss(1440));
    w.when("br-lan", out).expect("eth1", onward(out));
    w.when("eth1", tcp("[2001:db8:9::9]:5000", "[2001:db8:70::30]:22").syn().seq(1));
    w.expect("eth1", tcp("[2001:db8:70::30]:22", "[2001:db8:9::9]:5000").rst().ack(2).win(0));
    w.expect_drop(DropReason::RuleReject);
    const auto echo = ping("2001:db8:9::9", "2001:db8:70::30");
    w.when("eth1", echo).expect("br-lan", onward(echo));
}
