// Marks, rules and tables on the way of a packet: two uplinks, as configs/two-uplinks.toml has
// them.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr const char* kRules =
    "*mangle\n-A PREROUTING -j CONNMARK --restore-mark\n"
    "-A PREROUTING -i alt -m mark --mark 0 -j MARK --set-mark 2\n"
    "-A PREROUTING -i lan -p tcp --dport 25 -m mark --mark 0 -j MARK --set-mark 2\n"
    "-A PREROUTING -j CONNMARK --save-mark\n-A OUTPUT -j CONNMARK --restore-mark\nCOMMIT\n"
    "*nat\n-A PREROUTING ! -i lan -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2\n"
    "-A POSTROUTING ! -o lan -j MASQUERADE\nCOMMIT\n";

// lan and wan as every World has them, and alt, which packets with the mark 2 ask for.
World two_uplinks() {
    World w = given(kRules);
    routing::Interface alt;
    alt.name = "alt";
    alt.addresses = {*parse_prefix("203.0.113.2/24")};
    w.router().add_interface(alt);
    routing::Route route{.to = *parse_prefix("0.0.0.0/0"), .via = parse_address("203.0.113.1")};
    route.table = 2;
    REQUIRE(w.router().add_route(route) == routing::RouteChange::Done);
    routing::PolicyRule networks;
    networks.table = routing::kMainTable;
    networks.suppress_prefixlength = 0;
    routing::PolicyRule rule;
    rule.mark = 2;
    rule.mark_mask = 0xf;
    rule.table = 2;
    REQUIRE(w.router().add_policy_rule(rule, std::nullopt) == routing::RuleChange::Done);
    REQUIRE(w.router().add_policy_rule(networks, std::nullopt) == routing::RuleChange::Done);
    return w;
}

}  // namespace

TEST_CASE("a port has its own uplink, and the other one when that is down") {
    World w = two_uplinks();
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:25").syn().seq(1));
    w.expect("alt", tcp("203.0.113.2:40000", "198.51.100.7:25").syn().seq(1).ttl(63));
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:443").syn().seq(1));
    w.expect("wan", tcp("192.0.2.1:40000", "198.51.100.7:443").syn().seq(1).ttl(63));
    w.router().set_up(w.router().interfaces().find("alt")->index, false, w.now());
    w.when("lan", tcp("10.0.0.2:40001", "198.51.100.7:25").syn().seq(1));
    w.expect("wan", tcp("192.0.2.1:40001", "198.51.100.7:25").syn().seq(1).ttl(63));
}

TEST_CASE("who comes in by an uplink is answered by it") {
    World w = two_uplinks();
    w.when("alt", tcp("198.51.100.7:5000", "203.0.113.2:80").syn().seq(1));
    w.expect("lan", tcp("198.51.100.7:5000", "10.0.0.2:80").syn().seq(1).ttl(63));
    w.when("lan", tcp("10.0.0.2:80", "198.51.100.7:5000").syn().ack(2).seq(9));
    w.expect("alt", tcp("203.0.113.2:80", "198.51.100.7:5000").syn().ack(2).seq(9).ttl(63));
    w.expect_entry("tcp 6 SYN_RECV");
}

TEST_CASE("the router's own answer is routed by the mark of its connection") {
    World w = two_uplinks();
    w.when("alt", udp("198.51.100.7:5000", "203.0.113.2:9").data("x"));
    w.expect_icmp_from("alt", "203.0.113.2", 3, 3);
}
