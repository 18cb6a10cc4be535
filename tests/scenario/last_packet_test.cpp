// The packet that ends a connection, and what the router itself says about it.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr const char* kMasquerade = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";

}  // namespace

TEST_CASE(
    "last packet: an error about a reset that comes too far leaves with the address of the "
    "connection") {
    World::Setup setup;
    setup.rules_v6 = kMasquerade;
    World w = given(std::move(setup));
    w.when("lan", tcp("[fd00:1::2]:40000", "[2001:db8:1::7]:80").syn().seq(1000));
    w.expect("wan", tcp("[2001:db8::1]:40000", "[2001:db8:1::7]:80").syn().seq(1000).ttl(63));
    w.when("wan", tcp("[2001:db8:1::7]:80", "[2001:db8::1]:40000").rst().seq(0).ack(1001).ttl(1));
    w.expect_icmp_from("wan", "2001:db8::1", 3, 0).expect_drop(DropReason::TtlExpired);
    w.when("lan", tcp("[fd00:1::2]:40001", "[2001:db8:1::7]:80").syn().seq(1000)).forget();
    w.expect_entries(1);
    w.expect_entry("sport=40001");
}

TEST_CASE("last packet: a reset that a rule rejects is answered with its connection still there") {
    World w = given(
        "*filter\n-A FORWARD -i wan -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n"
        "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n");
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:40000").rst().seq(0).ack(1001));
    w.expect_icmp_from("wan", "192.0.2.1", 3, 10).expect_drop(DropReason::RuleReject);
    w.when("lan", tcp("10.0.0.2:40001", "198.51.100.7:80").syn().seq(1000)).forget();
    w.expect_entries(1);
}
