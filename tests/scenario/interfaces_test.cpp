// Interfaces that come and go while the others go on.
#include <doctest/doctest.h>

#include "core/pipeline/prepared_rules.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr const char* kRules =
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i lan -j ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";
constexpr IfIndex kWan{2};

routing::Interface named(const char* name, const char* address) {
    routing::Interface interface;
    interface.name = name;
    interface.addresses.push_back(*parse_prefix(address));
    return interface;
}

}  // namespace

TEST_CASE("an interface goes: so do its routes and what was masqueraded behind it") {
    World w = given(kRules);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("x")).forget();
    w.when("lan", udp("10.0.0.3:4000", "10.0.0.1:53").data("x")).forget();
    w.expect_entries(2);
    w.router().remove_interface(kWan, w.now());
    w.expect_entries(1).expect_entry("dst=10.0.0.1");
    CHECK(w.router().interfaces().find("wan") == nullptr);
    CHECK(w.router().routes().configured().empty());
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:53").data("x"));
    w.expect_icmp("lan", 3, 0).expect_drop(DropReason::NoRoute);
}

TEST_CASE("an interface of the same name comes: rules mean it, and its index is new") {
    World w = given(kRules);
    w.router().remove_interface(kWan, w.now());
    const IfIndex wan = w.router().add_interface(named("wan", "203.0.113.1/24"));
    CHECK(raw(wan) == 3);
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:53").data("x"));
    w.expect("wan", udp("203.0.113.1:4000", "203.0.113.9:53").data("x").ttl(63));
    w.when("wan", udp("203.0.113.9:53", "203.0.113.1:4000").data("y"));
    w.expect("lan", udp("203.0.113.9:53", "10.0.0.2:4000").data("y").ttl(63));
}

TEST_CASE("an interface may come before the rules that know it") {
    World w = given(kRules);
    RulesBasis basis = w.router().rules_basis();
    basis.interfaces.emplace_back("dmz", w.router().interfaces().next_index());
    PreparedRules prepared = prepare_rules(w.router().ruleset(), basis);
    w.router().add_interface(named("dmz", "203.0.113.1/24"), Router::BindRules::Later);
    w.router().adopt(prepared, w.now());
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:53").data("x"));
    w.expect("dmz", udp("10.0.0.2:4000", "203.0.113.9:53").data("x").ttl(63));
}

TEST_CASE("fragments that wait for others go with the interface that they came from") {
    World w = given(kRules);
    w.when("wan", udp("198.51.100.7:53", "192.0.2.1:4000").payload(1000).fragment(0, true, 504));
    w.router().remove_interface(kWan, w.now());
    CHECK(w.router().drops().of(DropReason::InterfaceDown) == 1);
    CHECK(w.router().defrag().bytes_in_use(Family::Ipv4) == 0);
}
