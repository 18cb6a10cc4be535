// What the router sends to itself goes out and in again through `lo`, as loopback_xmit does.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

TEST_CASE(
    "loopback: an error about the router's own refused answer passes OUTPUT, POSTROUTING, "
    "PREROUTING and INPUT") {
    World w = given(
        "*mangle\n-A PREROUTING -i lo -p icmp\n-A POSTROUTING -o lo -p icmp\nCOMMIT\n"
        "*filter\n-A INPUT -i lo -p icmp -m conntrack --ctstate RELATED\n-A OUTPUT -o lan -p tcp "
        "-j REJECT\n-A OUTPUT -o lo -p icmp\nCOMMIT\n");
    w.when("lan", tcp("10.0.0.2:4000", "10.0.0.1:80").syn().seq(1));
    w.expect_drop(DropReason::RuleReject);
    w.expect_rule_packets("-A OUTPUT -o lo -p icmp", 1);
    w.expect_rule_packets("-A POSTROUTING -o lo -p icmp", 1);
    w.expect_rule_packets("-A PREROUTING -i lo -p icmp", 1);
    w.expect_rule_packets("-A INPUT -i lo -p icmp -m conntrack --ctstate RELATED", 1);
}

TEST_CASE("loopback: who claims to be the router is answered by `lo`, and leaves no entry") {
    for (const char* source : {"[fd00:1::1]:4000", "[2001:db8::1]:4000"}) {
        World w = given(World::Setup{});
        w.when("lan", tcp(source, "[fd00:1::1]:80").syn().seq(1));
        w.expect_drop(DropReason::LocalNoListener);
        w.expect_nothing();
        w.expect_no_entry();
    }
}

TEST_CASE("loopback: the router is not told of its own refused ICMP") {
    World w = given("*filter\n-A OUTPUT -p icmp -j REJECT\nCOMMIT\n");
    w.when("lan", ping("10.0.0.2", "10.0.0.1"));
    w.expect_drop(DropReason::RuleReject);
    w.expect_rule_packets("-A OUTPUT -p icmp -j REJECT --reject-with icmp-port-unreachable", 1);
    w.expect_nothing();
}

TEST_CASE(
    "loopback: a refused error about a refused reset leaves the connection to its first packet") {
    World w = given(
        "*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n"
        "-A OUTPUT -m state --state RELATED -j REJECT\nCOMMIT\n");
    w.when("wan", tcp("198.51.100.7:1025", "10.0.0.3:22").syn().seq(1));
    w.expect_drop(DropReason::RuleReject);
    w.expect_nothing();
    w.expect_no_entry();
}

TEST_CASE("loopback: rpfilter trusts what the router sent to itself") {
    World::Setup setup;
    setup.rules_v6 =
        "*raw\n-A PREROUTING -m rpfilter --invert\nCOMMIT\n"
        "*filter\n-A OUTPUT -p tcp -j REJECT --reject-with icmp6-no-route\nCOMMIT\n";
    World w = given(std::move(setup));
    w.when("wan", tcp("[2001:db8:9::8]:1025", "[fd00:1::1]:80").syn().seq(5));
    w.expect_drop(DropReason::RuleReject);
    w.expect_rule_packets("-A PREROUTING -m rpfilter --invert", 0);
}
