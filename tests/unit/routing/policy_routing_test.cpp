// Tables, rules, metrics and several next hops, together.
#include <doctest/doctest.h>

#include <map>

#include "core/routing/route_table.hpp"

using namespace nsr;
using routing::Destination;
using routing::Flow;
using routing::Interface;
using routing::InterfaceTable;
using routing::PolicyRule;
using routing::Route;
using routing::RouteChange;
using routing::RouteTable;
using routing::RouteType;
using routing::RuleChange;

namespace {

constexpr Family kBoth[] = {Family::Ipv4, Family::Ipv6};

IpAddress address(const char* text) {
    return *parse_address(text);
}

Interface interface(const char* name, std::vector<const char*> addresses) {
    Interface result;
    result.name = name;
    for (const char* each : addresses) {
        result.addresses.push_back(*parse_prefix(each));
    }
    return result;
}

struct TwoUplinks {
    InterfaceTable interfaces;
    IfIndex lan = interfaces.add(interface("lan", {"10.1.0.1/24", "fd00:1::1/64"}));
    IfIndex isp1 = interfaces.add(interface("isp1", {"198.51.100.2/24", "2001:db8:1::2/64"}));
    IfIndex isp2 = interfaces.add(interface("isp2", {"192.0.2.2/24", "2001:db8:2::2/64"}));
    RouteTable routes{interfaces};

    static Route to(const char* prefix, const char* via) {
        return {.to = *parse_prefix(prefix), .via = address(via)};
    }
    void add(const Route& route) { REQUIRE(routes.add(route) == RouteChange::Done); }
    void rule(const PolicyRule& rule, std::uint32_t priority) {
        REQUIRE(routes.add_rule(rule, priority) == RuleChange::Done);
    }
    IfIndex way(const char* destination, Mark mark = 0) const {
        return routes.lookup(Flow{.destination = address(destination), .mark = mark}).out;
    }
    Destination kind(const char* destination, Mark mark = 0) const {
        return routes.lookup(Flow{.destination = address(destination), .mark = mark}).kind;
    }
    void set_up(IfIndex link, bool up) {
        interfaces.get(link).up = up;
        routes.interfaces_changed();
    }
    static PolicyRule marked(Mark mark, std::uint32_t table) {
        PolicyRule rule;
        rule.mark = mark;
        rule.mark_mask = 0xffffffff;
        rule.table = table;
        return rule;
    }
};

}  // namespace

TEST_CASE_FIXTURE(TwoUplinks, "a mark asks its own table, and then the others") {
    Route second = to("0.0.0.0/0", "192.0.2.1");
    second.table = 100;
    add(to("0.0.0.0/0", "198.51.100.1"));
    add(second);
    CHECK(way("203.0.113.9", 1) == isp1);
    rule(marked(1, 100), 1000);
    CHECK(way("203.0.113.9", 1) == isp2);
    CHECK(way("203.0.113.9", 2) == isp1);
    CHECK(kind("10.1.0.1", 1) == Destination::Local);
    set_up(isp2, false);
    CHECK(way("203.0.113.9", 1) == isp1);
    CHECK(routes.configured().size() == 1);
}

TEST_CASE_FIXTURE(TwoUplinks, "the lowest metric counts while its link is up") {
    Route first = to("0.0.0.0/0", "198.51.100.1");
    Route second = to("0.0.0.0/0", "192.0.2.1");
    first.metric = 100;
    second.metric = 200;
    add(second);
    add(first);
    CHECK(routes.add(first) == RouteChange::Exists);
    CHECK(way("203.0.113.9") == isp1);
    set_up(isp1, false);
    CHECK(way("203.0.113.9") == isp2);
}

TEST_CASE_FIXTURE(TwoUplinks,
                  "wg-quick's rules: all but its own packets, and but for what main knows") {
    Route tunnel{.to = *parse_prefix("0.0.0.0/0"), .interface = isp2};
    tunnel.table = 51820;
    add(to("0.0.0.0/0", "198.51.100.1"));
    add(tunnel);
    PolicyRule others = marked(0xca6c, 51820);
    others.inverted = true;
    PolicyRule specific;
    specific.table = routing::kMainTable;
    specific.suppress_prefixlength = 0;
    rule(others, 32764);
    rule(specific, 32763);
    CHECK(way("203.0.113.9") == isp2);
    CHECK(way("203.0.113.9", 0xca6c) == isp1);
    CHECK(way("10.1.0.9") == lan);
}

TEST_CASE_FIXTURE(TwoUplinks, "throw goes on with the next rule; the other types and actions end") {
    Route thrown{.to = *parse_prefix("203.0.113.9/32"), .type = RouteType::Throw};
    Route refused{.to = *parse_prefix("203.0.113.10/32"), .type = RouteType::Prohibit};
    thrown.table = refused.table = 7;
    add(to("0.0.0.0/0", "198.51.100.1"));
    add(thrown);
    add(refused);
    PolicyRule all;
    all.table = 7;
    rule(all, 10);
    CHECK(way("203.0.113.9") == isp1);
    CHECK(kind("203.0.113.10") == Destination::Prohibit);
    PolicyRule hole;
    hole.action = routing::RuleAction::Blackhole;
    rule(hole, 20);
    CHECK(kind("203.0.113.9") == Destination::Blackhole);
}

TEST_CASE_FIXTURE(TwoUplinks, "a route for one TOS leaves the others to a shorter prefix") {
    Route special = to("203.0.113.0/24", "192.0.2.1");
    special.tos = 0x10;
    add(to("0.0.0.0/0", "198.51.100.1"));
    add(special);
    CHECK(way("203.0.113.9") == isp1);
    CHECK(routes.lookup({.destination = address("203.0.113.9"), .tos = 0x10}).out == isp2);
}

TEST_CASE_FIXTURE(TwoUplinks, "several next hops share flows out by weight, a flow keeps its own") {
    Route route{.to = *parse_prefix("0.0.0.0/0")};
    route.hops = {{.via = address("198.51.100.1"), .weight = 3}, {.via = address("192.0.2.1")}};
    add(route);
    std::map<IfIndex, int> taken;
    for (std::uint32_t i = 0; i < 4000; ++i) {
        const Flow there{.destination = IpAddress::v4(0xcb007100 + i),
                         .source = address("10.1.0.5")};
        const Flow back{.destination = there.source, .source = there.destination};
        const IfIndex out = routes.lookup(there).out;
        CHECK(routes.lookup(there).out == out);
        CHECK(routes.leads_through(there, isp1));
        CHECK(routes.lookup(back).out == lan);
        ++taken[out];
    }
    CHECK(taken[isp1] > 2800);
    CHECK(taken[isp1] < 3200);
    CHECK(taken[isp1] + taken[isp2] == 4000);
    set_up(isp1, false);
    CHECK(way("203.0.113.9") == isp2);
    set_up(isp1, true);
    set_up(isp2, false);
    CHECK(way("203.0.113.9") == isp1);
    set_up(isp1, false);
    CHECK(kind("203.0.113.9") == Destination::None);
    CHECK(routes.configured().empty());
}

TEST_CASE_FIXTURE(TwoUplinks, "links that never had an address share flows out like others") {
    const IfIndex tun0 = interfaces.add(interface("tun0", {}));
    const IfIndex tun1 = interfaces.add(interface("tun1", {}));
    Route route{.to = *parse_prefix("0.0.0.0/0")};
    route.hops = {{.interface = tun0}, {.interface = tun1}};
    add(route);
    std::map<IfIndex, int> taken;
    for (std::uint32_t i = 0; i < 100; ++i) {
        ++taken[routes.lookup(IpAddress::v4(0xcb007100 + i)).out];
    }
    CHECK(taken[tun0] > 0);
    CHECK(taken[tun1] > 0);
    CHECK(taken[tun0] + taken[tun1] == 100);
}

TEST_CASE_FIXTURE(TwoUplinks, "IPv6: append makes one more next hop") {
    add(to("2001:db8:9::/48", "2001:db8:1::1"));
    CHECK(routes.append(to("2001:db8:9::/48", "2001:db8:2::1")) == RouteChange::Done);
    REQUIRE(routes.configured().size() == 1);
    CHECK(routes.configured()[0].hops.size() == 2);
    set_up(isp1, false);
    CHECK(way("2001:db8:9::9") == isp2);
}

TEST_CASE_FIXTURE(TwoUplinks, "a wish for a source must be an address, and goes with it") {
    Route route = to("203.0.113.0/24", "192.0.2.1");
    route.source = address("192.0.2.77");
    CHECK(routes.add(route) == RouteChange::BadSource);
    route.source = address("198.51.100.2");
    add(route);
    CHECK(routes.lookup(address("203.0.113.9")).source == address("198.51.100.2"));
    interfaces.get(isp1).addresses.erase(interfaces.get(isp1).addresses.begin());
    routes.interfaces_changed();
    CHECK(routes.configured().empty());
}

TEST_CASE_FIXTURE(TwoUplinks, "without rules of an administrator's nobody asks for them") {
    for (const Family family : kBoth) {
        CHECK_FALSE(routes.has_custom_rules(family));
        CHECK_FALSE(routes.reads_ports(family));
    }
    PolicyRule dns = marked(0, 100);
    dns.mark_mask = 0;
    dns.destination_ports = {53, 53};
    rule(dns, 5);
    CHECK(routes.has_custom_rules(Family::Ipv4));
    CHECK(routes.reads_ports(Family::Ipv4));
    CHECK_FALSE(routes.reads_ports(Family::Ipv6));
}
