#include "router/topology/host_tables.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nsr;
using namespace nsr::router;
using routing::RouteType;

namespace {

struct Links {
    routing::InterfaceTable interfaces;
    IfIndex lan = add("lan", 9000, {"10.0.1.1/24", "fd00:1::1/64", "fe80::1/64"});
    IfIndex wan = add("wan", 1500, {"192.0.2.1/24", "2001:db8:2::1/64", "fe80::1/64"});
    routing::RouteTable routes{interfaces};

    IfIndex add(const char* name, std::uint32_t mtu, const std::vector<std::string>& addresses) {
        routing::Interface interface;
        interface.name = name;
        interface.mtu = mtu;
        for (const std::string& address : addresses) {
            interface.addresses.push_back(*parse_prefix(address));
        }
        return interfaces.add(std::move(interface));
    }
    void route(const char* to, const char* via, IfIndex out, RouteType type = RouteType::Unicast) {
        const auto gateway = std::string(via).empty() ? std::nullopt : parse_address(via);
        REQUIRE(routes.add({*parse_prefix(to), gateway, out, type}) == routing::RouteChange::Done);
    }
    // As `ip route` would print it, as far as it matters; empty: there is none.
    [[nodiscard]] std::string route_to(const char* to, std::uint32_t table = RT_TABLE_MAIN) const {
        const HostTables tables = host_tables(interfaces, routes);
        const auto found =
            std::find_if(tables.routes.begin(), tables.routes.end(), [&](const auto& route) {
                return route.to == *parse_prefix(to) && route.table == table;
            });
        if (found == tables.routes.end()) {
            return {};
        }
        return (found->device.empty() ? "type " + std::to_string(found->type)
                                      : "dev " + found->device) +
               (found->source ? " src " + to_string(*found->source) : "") +
               (found->mtu != 0 ? " mtu " + std::to_string(found->mtu) : "");
    }
};

}  // namespace

TEST_CASE("host tables: a route gives the source and the MTU of the link it leaves by") {
    Links links;
    links.route("0.0.0.0/0", "192.0.2.254", IfIndex::None);
    links.route("10.9.0.0/16", "10.0.1.9", IfIndex::None);
    links.route("::/0", "2001:db8:2::fe", IfIndex::None);
    CHECK(links.route_to("0.0.0.0/0") == "dev router src 192.0.2.1 mtu 1500");
    CHECK(links.route_to("10.9.0.0/16") == "dev router src 10.0.1.1 mtu 9000");
    CHECK(links.route_to("10.0.1.0/24") == "dev router src 10.0.1.1 mtu 9000");
    CHECK(links.route_to("::/0") == "dev router src 2001:db8:2::1 mtu 1500");
    CHECK(links.route_to("fd00:1::/64") == "dev router src fd00:1::1 mtu 9000");
}

TEST_CASE("host tables: a route that leads nowhere is there as it is, a missing one is missing") {
    Links links;
    links.route("203.0.113.0/28", "", IfIndex::None, RouteType::Prohibit);
    links.route("203.0.113.16/28", "", IfIndex::None, RouteType::Unreachable);
    links.route("203.0.113.32/28", "", IfIndex::None, RouteType::Blackhole);
    links.route("2001:db8:9::/64", "", IfIndex::None, RouteType::Throw);
    CHECK(links.route_to("203.0.113.0/28") == "type " + std::to_string(RTN_PROHIBIT));
    CHECK(links.route_to("203.0.113.16/28") == "type " + std::to_string(RTN_UNREACHABLE));
    CHECK(links.route_to("203.0.113.32/28") == "type " + std::to_string(RTN_BLACKHOLE));
    CHECK(links.route_to("2001:db8:9::/64") == "type " + std::to_string(RTN_THROW));
    CHECK(links.route_to("0.0.0.0/0").empty());
    CHECK(links.route_to("::/0").empty());
}

TEST_CASE("host tables: the router's own addresses lead to the device, each from itself") {
    Links links;
    CHECK(links.route_to("192.0.2.1/32", kOwnAddressTable) == "dev router src 192.0.2.1");
    CHECK(links.route_to("fd00:1::1/128", kOwnAddressTable) == "dev router src fd00:1::1");
    CHECK(links.route_to("192.0.2.0/24", kOwnAddressTable).empty());
}

TEST_CASE("host tables: networks that repeat are there once, in order") {
    Links links;
    const HostTables tables = host_tables(links.interfaces, links.routes);
    CHECK(links.route_to("fe80::/64") == "dev router src fe80::1 mtu 9000");
    CHECK(std::adjacent_find(tables.routes.begin(), tables.routes.end(),
                             [](const auto& a, const auto& b) { return !comes_before(a, b); }) ==
          tables.routes.end());
    CHECK(tables.mtu == 9000);
}

TEST_CASE("host tables: a link that is down has no routes, and its addresses stay") {
    Links links;
    links.interfaces.get(links.wan).up = false;
    links.routes.interfaces_changed();
    CHECK(links.route_to("192.0.2.0/24").empty());
    CHECK(links.route_to("192.0.2.1/32", kOwnAddressTable) == "dev router src 192.0.2.1");
}

TEST_CASE("host tables: of two addresses in one network the connected route takes the first") {
    Links links;
    links.interfaces.get(links.lan).addresses.push_back(*parse_prefix("10.0.1.7/24"));
    links.routes.interfaces_changed();
    CHECK(links.route_to("10.0.1.0/24") == "dev router src 10.0.1.1 mtu 9000");
    CHECK(links.route_to("10.0.1.7/32", kOwnAddressTable) == "dev router src 10.0.1.7");
}

TEST_CASE("host tables: the [host] link itself does not count") {
    Links links;
    routing::Interface host;
    host.name = "host";
    host.host = true;
    host.mtu = 65535;
    links.interfaces.add(host);
    CHECK(host_tables(links.interfaces, links.routes).mtu == 9000);
}
