// A host of virtual machines.
#include <doctest/doctest.h>

#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {
constexpr const char* kOutside = "198.51.100.9:5000";
}

TEST_CASE("libvirt: guests go out behind the host, from ports that are no services'") {
    World w = running("libvirt");
    w.when("virbr0", tcp("192.168.122.50:40000", "198.51.100.7:443").syn().seq(1));
    w.expect("enp1s0", onward(tcp("192.0.2.50:40000", "198.51.100.7:443").syn().seq(1)));
    w.when("enp1s0", tcp("198.51.100.7:443", "192.0.2.50:40000").syn().seq(7).ack(2));
    w.expect("virbr0", onward(tcp("198.51.100.7:443", "192.168.122.50:40000").syn().seq(7).ack(2)));
    w.when("virbr0", udp("192.168.122.50:500", "198.51.100.7:53").data("?")).forget();
    for (const std::string& line : w.entries()) {
        CHECK_MESSAGE(last_number(line, "dport=") >= 1024, line);
    }
    w.when("virbr0", ping("192.168.122.50", "198.51.100.7"));
    w.expect("enp1s0", onward(ping("192.0.2.50", "198.51.100.7")));
}

TEST_CASE("libvirt: nobody comes in to the guests") {
    World w = running("libvirt");
    for (const char* guest : {"192.168.122.50:22", "192.168.100.5:22"}) {
        w.when("enp1s0", tcp(kOutside, guest).syn());
        w.expect_icmp("enp1s0", 3, 3).expect_drop(DropReason::RuleReject);
    }
    w.expect_no_entry();
}

TEST_CASE("libvirt: the isolated network is open within and closed to all others") {
    World w = running("libvirt");
    const auto within = tcp("192.168.100.5:4000", "192.168.100.6:80").syn().seq(1);
    w.when("virbr1", within).expect("virbr1", onward(within));
    for (const char* out : {"198.51.100.7:443", "192.168.122.50:80"}) {
        w.when("virbr1", tcp("192.168.100.5:4000", out).syn());
        w.expect_icmp("virbr1", 3, 3).expect_drop(DropReason::RuleReject);
    }
    w.when("virbr1", tcp("[fd00:100::5]:4000", "[2001:db8:9::7]:443").syn());
    w.expect_icmp("virbr1", 1, 4).expect_drop(DropReason::RuleReject);
}

TEST_CASE(
    "libvirt: guests reach the host's DHCP and DNS, and are not filtered by ports of a bridge") {
    World w = running("libvirt");
    reaches_router(w, "virbr0", udp("192.168.122.50:68", "192.168.122.1:67").data("discover"));
    reaches_router(w, "virbr1", udp("192.168.100.5:4000", "192.168.100.1:53").data("?"));
    w.expect_rule_packets("-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 67 -j ACCEPT", 1);
    w.expect_rule_packets("-A libvirt-host-in -m physdev --physdev-in vnet0 -g HI-vnet0", 0);
}
