// A house, its guests and a provider.
#include <doctest/doctest.h>

#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kPhone = "192.168.1.20:40000";
constexpr const char* kWeb = "198.51.100.7:443";

}  // namespace

TEST_CASE(
    "home router: what goes out is masqueraded, clamped to the line, and marked for its queue") {
    World w = running("home-router");
    w.when("eth1", tcp(kPhone, kWeb).syn().seq(1).options(mss(1460)));
    w.expect("ppp0", onward(tcp("203.0.113.7:40000", kWeb).syn().seq(1).options(mss(1452))));
    w.expect_entry("src=198.51.100.7 dst=203.0.113.7 sport=443 dport=40000 mark=3");
    w.when("ppp0", tcp(kWeb, "203.0.113.7:40000").syn().seq(9).ack(2).options(mss(1460)));
    w.expect("eth1", onward(tcp(kWeb, kPhone).syn().seq(9).ack(2).options(mss(1452))));
}

TEST_CASE("home router: a DNS question gets the mark of what is urgent") {
    World w = running("home-router");
    w.when("eth1", udp("192.168.1.20:5353", "198.51.100.53:53").data("?")).forget();
    w.expect_entry("sport=53 dport=5353 mark=1");
    w.expect_rule_packets("-A QOS -m mark --mark 0x1/0xf -j CLASSIFY --set-class 0001:0010", 1);
}

TEST_CASE("home router: a forwarded port leads to the server, from outside and from the house") {
    World w = running("home-router");
    w.when("ppp0", tcp("198.51.100.9:5000", "203.0.113.7:443").syn().seq(1).options(mss(1400)));
    w.expect("eth1",
             onward(tcp("198.51.100.9:5000", "192.168.1.10:443").syn().seq(1).options(mss(1400))));
    w.when("eth1", tcp(kPhone, "203.0.113.7:443").syn().seq(1).options(mss(1400)));
    w.expect("eth1",
             onward(tcp("192.168.1.1:40000", "192.168.1.10:443").syn().seq(1).options(mss(1400))));
    w.when("eth1", tcp("192.168.1.10:443", "192.168.1.1:40000").syn().seq(7).ack(2));
    w.expect("eth1", onward(tcp("203.0.113.7:443", kPhone).syn().seq(7).ack(2)));
    w.when("eth1.20", tcp("192.168.20.5:4000", "203.0.113.7:443").syn()).forget();
    w.expect_rule_packets("-A INPUT -j LOGDROP", 1);
}

TEST_CASE("home router: guests reach no private network, and the internet by day alone") {
    World w = running("home-router");
    const auto to_web = tcp("192.168.20.5:4000", kWeb).syn().seq(1).options(mss(1400));
    w.when("eth1.20", tcp("192.168.20.5:4000", "192.168.1.10:445").syn());
    w.expect_icmp("eth1.20", 3, 9).expect_drop(DropReason::RuleReject);
    w.when("eth1.20", to_web).expect_icmp("eth1.20", 3, 13).expect_drop(DropReason::RuleReject);
    w.after(6h);
    w.when("eth1.20", to_web);
    w.expect("ppp0", onward(tcp("203.0.113.7:4000", kWeb).syn().seq(1).options(mss(1400))));
}

TEST_CASE("home router: who tries ssh too often is dropped and logged, for a minute") {
    World w = running("home-router");
    const auto attempt = [](int port) {
        return tcp("198.51.100.9:" + std::to_string(port), "203.0.113.7:22").syn().seq(1);
    };
    for (int i = 0; i < 4; ++i) {
        reaches_router(w, "ppp0", attempt(5000 + i));
    }
    w.when("ppp0", attempt(5004)).expect_drop(DropReason::RuleDrop);
    CHECK(w.log().back().find("fw drop: IN=ppp0 OUT= ") == 0);
    reaches_router(w, "ppp0", tcp("198.51.100.10:5000", "203.0.113.7:22").syn());
    w.after(61s);
    reaches_router(w, "ppp0", attempt(5005));
}

TEST_CASE("home router: private sources from outside are dropped; ping has a rate") {
    World w = running("home-router");
    w.when("ppp0", udp("10.0.0.5:1", "203.0.113.7:51820")).expect_drop(DropReason::RuleDrop);
    w.when("ppp0", tcp("192.168.1.10:1", kPhone).syn()).expect_drop(DropReason::RuleDrop);
    for (std::uint16_t seq = 1; seq <= 10; ++seq) {
        w.when("ppp0", ping("198.51.100.9", "203.0.113.7", seq)).expect_icmp("ppp0", 0, 0);
    }
    w.when("ppp0", ping("198.51.100.9", "203.0.113.7", 11)).expect_drop(DropReason::RuleDrop);
}

TEST_CASE("home router: IPv6 is open outwards, and inwards for one server") {
    World w = running("home-router");
    const auto inwards = [](const char* to) {
        return tcp("[2001:db8:9::9]:5000", to).syn().seq(1);
    };
    w.when("ppp0", inwards("[2001:db8:40::10]:443"));
    w.expect("eth1", onward(inwards("[2001:db8:40::10]:443")));
    w.when("ppp0", inwards("[2001:db8:40::10]:22"));
    w.expect("ppp0", tcp("[2001:db8:40::10]:22", "[2001:db8:9::9]:5000").rst().ack(2).win(0));
    w.expect_drop(DropReason::RuleReject);
    w.when("ppp0", udp("[2001:db8:9::9]:1", "[2001:db8:40::10]:1"));
    w.expect_icmp("ppp0", 1, 1).expect_drop(DropReason::RuleReject);
    w.when("eth1", udp("[2001:db8:99::1]:1", "[2001:db8:9::9]:1"));
    w.expect_drop(DropReason::RuleDrop);
    w.expect_rule_packets("-A PREROUTING -m rpfilter --validmark --invert -j DROP", 1);
}
