// firewalld on CentOS 7: zones of interfaces, a zone of sources in a set.
#include <doctest/doctest.h>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

TEST_CASE("firewalld: sources in the block list are dropped, whatever they ask for") {
    World w = running("firewalld");
    w.when("eth0", tcp("203.0.113.5:5000", "192.0.2.30:443").syn());
    w.expect_drop(DropReason::RuleDrop);
    w.when("eth0", ping("198.51.100.77", "192.0.2.30")).expect_drop(DropReason::RuleDrop);
    w.when("eth1", tcp("192.168.10.20:4000", "203.0.113.5:80").syn());
    w.expect_drop(DropReason::RuleDrop);
    w.when("eth0", tcp("[2001:db8:bad::5]:5000", "[2001:db8:2::30]:443").syn());
    w.expect_drop(DropReason::RuleDrop);
    w.expect_no_entry();
}

TEST_CASE("firewalld: an address in a set with a timeout is let in again when its time is over") {
    World w = running("firewalld");
    const auto https = tcp("198.51.100.13:5000", "192.0.2.30:443").syn().seq(1);
    w.when("eth0", https).expect_drop(DropReason::RuleDrop);
    w.after(2930s).when("eth0", https).expect_drop(DropReason::RuleDrop);
    w.after(2s);
    reaches_router(w, "eth0", https);
}

TEST_CASE("firewalld: the public zone has ssh and https, a rich rule against some, one that logs") {
    World w = running("firewalld");
    reaches_router(w, "eth0", tcp("198.51.100.9:5000", "192.0.2.30:22").syn());
    reaches_router(w, "eth0", tcp("198.51.100.9:5000", "192.0.2.30:443").syn());
    CHECK(w.log().back().find("partner https: IN=eth0 OUT= ") == 0);
    w.when("eth0", tcp("198.51.100.9:5000", "192.0.2.30:80").syn());
    w.expect_icmp("eth0", 3, 10).expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp("198.51.100.130:5000", "192.0.2.30:443").syn());
    w.expect_icmp("eth0", 3, 3).expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp("[2001:db8:9::9]:5000", "[2001:db8:2::30]:80").syn());
    w.expect_icmp("eth0", 1, 1).expect_drop(DropReason::RuleReject);
}

TEST_CASE("firewalld: the internal network goes out by the external zone, masqueraded") {
    World w = running("firewalld");
    w.when("eth1", tcp("192.168.10.20:4000", "198.18.0.5:80").syn().seq(1));
    w.expect("eth2", onward(tcp("100.65.0.2:4000", "198.18.0.5:80").syn().seq(1)));
    w.when("eth1", tcp("192.168.10.20:4000", "198.51.100.9:80").syn());
    w.expect_icmp("eth1", 3, 10).expect_drop(DropReason::RuleReject);
}

TEST_CASE(
    "firewalld: a forwarded port of the external zone is marked, translated and let through") {
    World w = running("firewalld");
    w.when("eth2", tcp("198.18.0.5:5000", "100.65.0.2:80").syn().seq(1));
    w.expect("eth1", onward(tcp("198.18.0.5:5000", "192.168.10.20:8080").syn().seq(1)));
    w.when("eth2", tcp("198.18.0.5:5001", "192.168.10.20:8080").syn());
    w.expect_icmp("eth2", 3, 10).expect_drop(DropReason::RuleReject);
}
