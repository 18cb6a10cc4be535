// A connection that has to be accepted again, after rules have changed.
#include <doctest/doctest.h>

#include "core/rules/language/parse.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr const char* kOpen =
    "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i lan -j ACCEPT\nCOMMIT\n";
constexpr const char* kClosed =
    "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j "
    "ACCEPT\nCOMMIT\n";

PacketBuilder query() {
    return udp("10.0.0.2:4000", "192.0.2.7:53").data("x");
}
PacketBuilder answer() {
    return udp("192.0.2.7:53", "10.0.0.2:4000").data("y");
}

void load(World& world, const char* text) {
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save(text, "given", Family::Ipv4, ruleset).empty());
    world.router().apply(std::move(ruleset), world.now());
}

// All connections there are.
void recheck(World& world) {
    conntrack::Table::Cursor cursor;
    std::size_t looks = 1000;
    while (const auto id = world.router().conntrack().table().next(cursor, looks)) {
        world.router().recheck_connection(*id);
    }
}

World with_a_connection() {
    World world = given(kOpen);
    world.when("lan", query()).when("wan", answer()).forget();
    return world;
}

}  // namespace

TEST_CASE("recheck: without it a connection outlives the rule that accepted it") {
    World w = with_a_connection();
    load(w, kClosed);
    w.when("lan", query()).expect("wan", query().ttl(63));
}

TEST_CASE("recheck: the filter sees the next packet as the first, and answers wait for it") {
    World w = with_a_connection();
    load(w, kClosed);
    recheck(w);
    w.when("wan", answer()).expect_drop(DropReason::AwaitsRecheck);
    w.when("lan", query()).expect_drop(DropReason::PolicyDrop);
    w.when("wan", answer()).expect_drop(DropReason::AwaitsRecheck);
    w.expect_entries(1);
}

TEST_CASE("recheck: once it is accepted again it goes on, by the rule that accepted it now") {
    World w = with_a_connection();
    load(w, kClosed);
    recheck(w);
    w.when("lan", query()).expect_drop(DropReason::PolicyDrop);
    load(w, kOpen);
    w.when("lan", query()).expect("wan", query().ttl(63));
    w.when("wan", answer()).expect("lan", answer().ttl(63));
}

TEST_CASE("recheck: a connection that rules still want notices nothing") {
    World w = with_a_connection();
    recheck(w);
    w.when("lan", query()).expect("wan", query().ttl(63));
    w.when("wan", answer()).expect("lan", answer().ttl(63));
    load(w, kClosed);
    w.when("lan", query()).expect("wan", query().ttl(63));
}

TEST_CASE("recheck: its translation stays") {
    World w = given("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n");
    w.when("lan", query()).forget();
    recheck(w);
    w.when("lan", query()).expect("wan", udp("192.0.2.1:4000", "192.0.2.7:53").data("x").ttl(63));
    w.expect_entries(1);
}
