// Timeout policies: connections that a rule gave one live by it. The UDP story with its seconds,
// and what is refused, is what a Linux 6.18 kernel did with nfct(8) and iptables.
#include <doctest/doctest.h>

#include "core/rules/language/parse.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

void put(World& world, std::string name, std::uint8_t protocol, conntrack::Timeouts timeouts) {
    REQUIRE(
        world.router().timeout_policies().put({std::move(name), Family::Ipv4, protocol, timeouts}));
}

conntrack::Timeouts udp_timeouts(std::uint32_t unreplied, std::uint32_t replied) {
    conntrack::Timeouts timeouts;
    timeouts.udp = unreplied;
    timeouts.udp_stream = replied;
    return timeouts;
}

void load(World& world, const char* text) {
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save(text, "given", Family::Ipv4, ruleset).empty());
    world.router().apply(std::move(ruleset), world.now());
}

// Of the only connection.
int seconds_left(World& world) {
    const conntrack::Table& table = world.router().conntrack().table();
    const auto id = table.next(std::nullopt);
    REQUIRE(id);
    return jiffies_until(table[*id].deadline, to_jiffies(world.now())) /
           static_cast<int>(kJiffiesPerSecond);
}

const PacketBuilder kQuestion = udp("10.0.0.2:4000", "198.51.100.7:53").data("?");
const PacketBuilder kAnswer = udp("198.51.100.7:53", "10.0.0.2:4000").data("!");
constexpr const char* kShort = "*raw\n-A PREROUTING -p udp -j CT --timeout uu\nCOMMIT\n";

}  // namespace

TEST_CASE("timeout policy: a connection keeps the one it began with, until that is removed") {
    World w = given("");
    put(w, "uu", proto::kUdp, udp_timeouts(50, 60));
    load(w, kShort);
    w.when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 50);
    load(w, "*raw\nCOMMIT\n");
    w.after(5s).when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 50);
    w.when("wan", kAnswer).forget();
    CHECK(seconds_left(w) == 50);
    w.after(3s).when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 60);
    CHECK(w.router().timeout_policies().remove("uu"));
    CHECK(seconds_left(w) == 60);
    w.when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 180);
    put(w, "uu", proto::kUdp, udp_timeouts(70, 80));
    w.when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 180);
}

TEST_CASE("timeout policy: other values for the same name reach the connections that have it") {
    World w = given("");
    put(w, "uu", proto::kUdp, udp_timeouts(50, 60));
    load(w, kShort);
    w.when("lan", kQuestion).forget();
    put(w, "uu", proto::kUdp, udp_timeouts(7, 8));
    w.when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 7);
    w.after(8s).expect_no_entry();
}

TEST_CASE("timeout policy: only connections that begin behind the rule have it") {
    World w = given("");
    put(w, "uu", proto::kUdp, udp_timeouts(50, 60));
    w.when("lan", kQuestion).forget();
    load(w, kShort);
    w.when("lan", kQuestion).forget();
    CHECK(seconds_left(w) == 30);
}

TEST_CASE("timeout policy: each state of TCP has its seconds, and a reset ends by them") {
    World w = given("");
    conntrack::Timeouts timeouts;
    timeouts.tcp_syn_sent = 11;
    timeouts.tcp_established = 100;
    timeouts.tcp_close = 5;
    timeouts.tcp_max_retrans = 77;
    put(w, "tt", proto::kTcp, timeouts);
    load(w, "*raw\n-A PREROUTING -p tcp -j CT --timeout tt\nCOMMIT\n");
    w.play(R"(
        > S 0:0(0)              NEW SYN_SENT 11 UNREPLIED
        < S. 0:0(0) ack 1       SYN_RECV 60
        > . ack 1               ESTABLISHED 100 ASSURED
        > . ack 1 win 0         ESTABLISHED 77
        > R 1:1(0)              CLOSE 5
    )");
    w.after(6s).expect_no_entry();
}

TEST_CASE("timeout policy: a protocol without a tracker goes by a generic one") {
    World w = given("");
    conntrack::Timeouts timeouts;
    timeouts.generic = 77;
    put(w, "ge", conntrack::kGenericProtocol, timeouts);
    load(w, "*raw\n-A PREROUTING -p 99 -j CT --timeout ge\nCOMMIT\n");
    w.when("lan", ip(99, "10.0.0.2", "198.51.100.7")).forget();
    CHECK(seconds_left(w) == 77);
}

TEST_CASE("timeout policy: a number is given out again when nobody lives by it any more") {
    conntrack::TimeoutPolicies policies;
    const conntrack::TimeoutPolicy old{"a", Family::Ipv4, proto::kUdp, udp_timeouts(1, 2)};
    REQUIRE(policies.put(old));
    const auto id = policies.id_of("a");
    policies.join(id);
    CHECK(policies.remove("a"));
    CHECK(policies.timeouts(id) == nullptr);
    REQUIRE(policies.put(old));
    CHECK(policies.id_of("a") != id);
    policies.leave(id);
    REQUIRE(policies.put({"b", Family::Ipv6, proto::kTcp, {}}));
    CHECK(policies.id_of("b") == id);
}
