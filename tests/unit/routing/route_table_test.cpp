#include "core/routing/route_table.hpp"

#include <doctest/doctest.h>

using namespace nsr;
using routing::Decision;
using routing::Destination;
using routing::Interface;
using routing::InterfaceTable;
using routing::Route;
using routing::RouteChange;
using routing::RouteTable;
using routing::RouteType;

namespace {

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

struct TwoLinks {
    InterfaceTable interfaces;
    IfIndex lan = interfaces.add(interface("lan", {"10.1.0.1/24", "fd00:1::1/64"}));
    IfIndex wan = interfaces.add(interface("wan", {"198.51.100.7/24", "2001:db8::7/64"}));
    RouteTable routes{interfaces};

    TwoLinks() { routes.interfaces_changed(); }
    Destination kind(const char* to) const { return routes.lookup(address(to)).kind; }
    Decision towards(const char* to) const { return routes.lookup(address(to)); }
    bool add(const char* to, const char* via, IfIndex out = IfIndex::None) {
        return routes.add({*parse_prefix(to), address(via), out, RouteType::Unicast}) ==
               RouteChange::Done;
    }
};

}  // namespace

TEST_CASE_FIXTURE(TwoLinks, "a connected network is reached directly, a stranger not at all") {
    const Decision decision = towards("10.1.0.99");
    CHECK(decision.kind == Destination::Unicast);
    CHECK(decision.out == lan);
    CHECK(decision.next_hop == address("10.1.0.99"));
    CHECK(towards("2001:db8::99").out == wan);
    CHECK(kind("203.0.113.1") == Destination::None);
    CHECK(kind("2001:db8:1::1") == Destination::None);
}

TEST_CASE_FIXTURE(TwoLinks, "the configured routes change as a whole or not at all") {
    REQUIRE(add("203.0.113.0/24", "198.51.100.1"));
    const Route good{*parse_prefix("192.0.2.0/24"), address("198.51.100.1"), IfIndex::None, {}};
    const Route lost{*parse_prefix("192.0.2.0/25"), address("192.0.2.1"), IfIndex::None, {}};
    const auto change = routes.assign({good, lost});
    REQUIRE_FALSE(change);
    CHECK(change.error().index == 1);
    CHECK(change.error().why == RouteChange::Unreachable);
    CHECK(kind("203.0.113.9") == Destination::Unicast);
    CHECK(kind("192.0.2.9") == Destination::None);
    CHECK(routes.assign({good, good}).error().why == RouteChange::Exists);
    CHECK(routes.assign({good}));
    CHECK(kind("203.0.113.9") == Destination::None);
    CHECK(kind("192.0.2.9") == Destination::Unicast);
}

TEST_CASE_FIXTURE(TwoLinks, "the router's own addresses and loopback are local") {
    CHECK(kind("10.1.0.1") == Destination::Local);
    CHECK(kind("198.51.100.7") == Destination::Local);
    CHECK(kind("fd00:1::1") == Destination::Local);
    CHECK(kind("127.3.2.1") == Destination::Local);
    CHECK(kind("::1") == Destination::Local);
    CHECK(kind("fd00:1::") == Destination::Local);  // subnet-router anycast
}

TEST_CASE_FIXTURE(TwoLinks, "broadcast and multicast are never forwarded") {
    CHECK(kind("255.255.255.255") == Destination::Broadcast);
    CHECK(kind("10.1.0.255") == Destination::Broadcast);
    CHECK(kind("224.0.0.1") == Destination::Multicast);
    CHECK(kind("ff02::1") == Destination::Multicast);
    CHECK(kind("10.1.0.0") == Destination::Unicast);  // only the highest address is a broadcast
}

TEST_CASE("a /31 and a /32 have no broadcast") {
    InterfaceTable interfaces;
    interfaces.add(interface("p2p", {"192.0.2.0/31", "203.0.113.9/32"}));
    const RouteTable routes(interfaces);
    CHECK(routes.lookup(address("192.0.2.1")).kind == Destination::Unicast);
    CHECK(routes.lookup(address("203.0.113.9")).kind == Destination::Local);
    CHECK(routes.lookup(address("203.0.113.10")).kind == Destination::None);
}

TEST_CASE_FIXTURE(TwoLinks, "a gateway is the next hop, on the interface whose network it is in") {
    REQUIRE(add("0.0.0.0/0", "198.51.100.1"));
    const Decision decision = towards("203.0.113.5");
    CHECK(decision.out == wan);
    CHECK(decision.next_hop == address("198.51.100.1"));
    CHECK(routes.configured().front().interface == wan);
}

TEST_CASE_FIXTURE(TwoLinks, "unreachable, own and foreign-family gateways are refused") {
    CHECK_FALSE(add("0.0.0.0/0", "203.0.113.1"));
    CHECK_FALSE(add("0.0.0.0/0", "198.51.100.7"));
    CHECK_FALSE(add("0.0.0.0/0", "2001:db8::1"));
    CHECK_FALSE(add("0.0.0.0/0", "198.51.100.1", lan));
    CHECK(routes.add({*parse_prefix("10.9.0.0/16"), std::nullopt, IfIndex::None, {}}) ==
          RouteChange::Unreachable);
    CHECK(routes.configured().empty());
}

TEST_CASE_FIXTURE(TwoLinks, "a link-local gateway needs to be told its interface") {
    CHECK_FALSE(add("::/0", "fe80::1"));
    CHECK(add("::/0", "fe80::1", wan));
    CHECK(towards("2001:db8:ffff::1").out == wan);
}

TEST_CASE_FIXTURE(TwoLinks, "a gateway may lie behind a device route") {
    REQUIRE(routes.add({*parse_prefix("203.0.113.0/24"), std::nullopt, wan, {}}) ==
            RouteChange::Done);
    CHECK(add("10.9.0.0/16", "203.0.113.1"));
    CHECK(towards("10.9.1.1").next_hop == address("203.0.113.1"));
}

TEST_CASE_FIXTURE(TwoLinks, "a destination has one route: a second is refused, or replaces it") {
    const Route second{*parse_prefix("10.9.0.0/16"), address("198.51.100.1"), IfIndex::None, {}};
    REQUIRE(add("10.9.0.0/16", "10.1.0.2"));
    CHECK(routes.add(second) == RouteChange::Exists);
    CHECK(towards("10.9.1.1").out == lan);
    CHECK(routes.replace(second) == RouteChange::Done);
    CHECK(towards("10.9.1.1").out == wan);
    CHECK(routes.configured().size() == 1);
    CHECK_FALSE(
        routes.remove({*parse_prefix("10.9.0.0/16"), address("10.1.0.2"), IfIndex::None, {}}));
    CHECK(routes.remove({*parse_prefix("10.9.0.0/16"), std::nullopt, IfIndex::None, {}}));
    CHECK(kind("10.9.1.1") == Destination::None);
    CHECK_FALSE(routes.remove({*parse_prefix("10.9.0.0/16"), std::nullopt, IfIndex::None, {}}));
}

TEST_CASE_FIXTURE(TwoLinks, "replacing by a route that leads nowhere leaves the old one") {
    REQUIRE(add("10.9.0.0/16", "10.1.0.2"));
    CHECK(
        routes.replace({*parse_prefix("10.9.0.0/16"), address("203.0.113.1"), IfIndex::None, {}}) ==
        RouteChange::Unreachable);
    CHECK(towards("10.9.1.1").next_hop == address("10.1.0.2"));
}

TEST_CASE_FIXTURE(TwoLinks, "a connected network is taken in IPv4, and wins in IPv6") {
    CHECK(routes.add({*parse_prefix("10.1.0.0/24"), address("198.51.100.1"), IfIndex::None, {}}) ==
          RouteChange::Exists);
    CHECK(add("fd00:1::/64", "2001:db8::1"));
    CHECK(towards("fd00:1::9").out == lan);
}

TEST_CASE_FIXTURE(TwoLinks, "routes that refuse say how, and a throw is a lookup without result") {
    REQUIRE(add("0.0.0.0/0", "198.51.100.1"));
    const auto refuse = [&](const char* to, RouteType type) {
        return routes.add({*parse_prefix(to), std::nullopt, IfIndex::None, type}) ==
               RouteChange::Done;
    };
    CHECK(refuse("100.64.1.0/24", RouteType::Blackhole));
    CHECK(refuse("100.64.2.0/24", RouteType::Prohibit));
    CHECK(refuse("100.64.3.0/24", RouteType::Unreachable));
    CHECK(refuse("100.64.4.0/24", RouteType::Throw));
    CHECK(kind("100.64.1.1") == Destination::Blackhole);
    CHECK(kind("100.64.2.1") == Destination::Prohibit);
    CHECK(kind("100.64.3.1") == Destination::Unreachable);
    CHECK(kind("100.64.4.1") == Destination::None);
    CHECK(kind("100.64.5.1") == Destination::Unicast);
}

TEST_CASE_FIXTURE(TwoLinks, "no route can take away an own address or a broadcast") {
    for (const char* to : {"10.1.0.1/32", "10.1.0.255/32"}) {
        CHECK(routes.add({*parse_prefix(to), std::nullopt, IfIndex::None, RouteType::Blackhole}) ==
              RouteChange::Done);
    }
    CHECK(kind("10.1.0.1") == Destination::Local);
    CHECK(kind("10.1.0.255") == Destination::Broadcast);
}

TEST_CASE_FIXTURE(TwoLinks, "an interface's last address takes its routes along") {
    REQUIRE(add("0.0.0.0/0", "198.51.100.1"));
    REQUIRE(add("10.9.0.0/16", "10.1.0.2"));
    interfaces.get(wan).addresses.clear();
    routes.interfaces_changed();
    CHECK(kind("198.51.100.7") == Destination::None);
    CHECK(kind("203.0.113.5") == Destination::None);
    CHECK(towards("10.9.1.1").out == lan);
    CHECK(routes.configured().size() == 1);
}

TEST_CASE_FIXTURE(TwoLinks, "connected networks stay when all configured routes go") {
    REQUIRE(add("0.0.0.0/0", "198.51.100.1"));
    REQUIRE(routes.assign({}));
    CHECK(routes.configured().empty());
    CHECK(kind("203.0.113.5") == Destination::None);
    CHECK(kind("10.1.0.9") == Destination::Unicast);
}
