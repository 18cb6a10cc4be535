// Two configurations compared, as far as links go.
#include "router/topology/link_changes.hpp"

#include <doctest/doctest.h>

#include "router/topology/interface_changes.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

using Kind = LinkChange::Kind;

InterfaceConfig link(const std::string& name, const std::string& netns, const std::string& own) {
    InterfaceConfig interface;
    interface.name = interface.device = name;
    interface.netns = netns;
    interface.addresses.push_back({*parse_prefix(own), {}});
    return interface;
}

Config two_links() {
    Config config;
    config.interfaces = {link("lan", "inside", "10.0.1.1/24"),
                         link("wan", "outside", "192.0.2.1/24")};
    return config;
}

std::vector<std::pair<std::string, Kind>> kinds(const Config& now, const Config& next,
                                                const std::vector<std::string>& lost = {}) {
    std::vector<std::pair<std::string, Kind>> found;
    for (const LinkChange& change : link_changes(now, next, lost)) {
        found.emplace_back(change.name, change.kind);
    }
    return found;
}

routing::InterfaceTable table_of(const Config& config) {
    routing::InterfaceTable table;
    for (const InterfaceConfig& interface : config.interfaces) {
        routing::Interface added;
        added.name = interface.name;
        added.addresses = {interface.addresses[0].value};
        table.add(std::move(added));
    }
    return table;
}

}  // namespace

TEST_CASE("link changes: nothing, if the machine has to do nothing") {
    Config next = two_links();
    next.interfaces[0].addresses.push_back({*parse_prefix("10.0.5.1/24"), {}});  // the router's own
    CHECK(link_changes(two_links(), next, {}).empty());
}

TEST_CASE("link changes: what goes comes first, then the others in the file's order") {
    Config next = two_links();
    next.interfaces.erase(next.interfaces.begin());
    next.interfaces[0].mtu = 1400;
    next.interfaces.push_back(link("dmz", "dmz", "203.0.113.1/24"));
    const std::vector<std::pair<std::string, Kind>> expected = {
        {"lan", Kind::Goes}, {"wan", Kind::Adjusts}, {"dmz", Kind::Comes}};
    CHECK(kinds(two_links(), next) == expected);
}

TEST_CASE("link changes: another namespace or device is a move, whatever else changes") {
    Config next = two_links();
    next.interfaces[0].netns = "elsewhere";
    next.interfaces[1].device = "eth0";
    next.interfaces[1].mtu = 1400;
    const auto changes = link_changes(two_links(), next, {});
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].kind == Kind::Moves);
    CHECK(part_name(changes[0]) == "lan (new)");
    CHECK(changes[1].kind == Kind::Moves);
}

TEST_CASE("link changes: what is lost is made again, as the file now has it") {
    Config next = two_links();
    next.interfaces[1].netns = "elsewhere";
    const auto changes = link_changes(two_links(), next, {"wan"});
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].kind == Kind::Rejoins);
    CHECK(changes[0].after.operations.front().netns == "elsewhere");
}

TEST_CASE("interface changes: what the file says anew is set, what it does not mention stays") {
    const Config now = two_links();
    Config next = two_links();
    next.interfaces[0].addresses = {{*parse_prefix("10.0.9.1/24"), {}}};
    next.interfaces[1].mtu = 1400;
    next.interfaces.push_back(link("dmz", "dmz", "203.0.113.1/24"));
    routing::InterfaceTable table = table_of(now);
    table.get(IfIndex{1}).addresses.push_back(*parse_prefix("10.0.77.1/24"));  // by `nsrouter ip`
    const InterfaceChanges changes = interface_changes(now, next, table);
    REQUIRE(changes.stay.size() == 2);
    const std::vector<Prefix> expected = {*parse_prefix("10.0.9.1/24"),
                                          *parse_prefix("10.0.77.1/24")};
    CHECK(changes.stay[0].addresses == expected);
    CHECK_FALSE(changes.stay[0].mtu);
    CHECK(changes.stay[1].mtu == 1400u);
    CHECK_FALSE(changes.stay[1].addresses);
    CHECK_FALSE(changes.stay[1].up);
    REQUIRE(changes.come.size() == 1);
    CHECK(raw(changes.come[0].index) == 3);
    const auto after = table_after(changes, {}, table);
    CHECK(after.find("dmz")->index == IfIndex{3});
    CHECK(after.find("lan")->addresses == expected);
}

TEST_CASE("interface changes: up and down are the administrator's until the file says it anew") {
    Config now = two_links();
    Config next = two_links();
    next.interfaces[1].up = false;
    routing::InterfaceTable table = table_of(now);
    CHECK_FALSE(table_after(interface_changes(now, next, table), {}, table).find("wan")->up);
    table.get(IfIndex{1}).up = false;  // by `nsrouter ip`
    CHECK_FALSE(table_after(interface_changes(now, now, table), {}, table).find("lan")->up);
    now.interfaces[0].up = false;
    CHECK(table_after(interface_changes(now, next, table), {}, table).find("lan")->up);
}

TEST_CASE("interface changes: an index is not given out again, and names of rules follow") {
    const Config now = two_links();
    Config next = two_links();
    next.interfaces[1] = link("dmz", "dmz", "203.0.113.1/24");
    const InterfaceChanges changes = interface_changes(now, next, table_of(now));
    REQUIRE(changes.go.size() == 1);
    const auto names = names_after(changes, {{"lan", IfIndex{1}}, {"wan", IfIndex{2}}});
    const std::vector<std::pair<std::string, IfIndex>> expected = {{"lan", IfIndex{1}},
                                                                   {"dmz", IfIndex{3}}};
    CHECK(names == expected);
}

TEST_CASE("interface changes: routes are tried where they will have to hold") {
    const Config now = two_links();
    Config next = two_links();
    next.interfaces.push_back(link("dmz", "dmz", "203.0.113.1/24"));
    RouteConfig route;
    route.to = *parse_prefix("198.18.0.0/15");
    route.via = parse_address("203.0.113.2");
    route.interface = "dmz";
    next.routes.push_back(route);
    const routing::InterfaceTable table = table_of(now);
    CHECK(try_routes(next, table_after(interface_changes(now, next, table), {}, table)).empty());
    next.routes[0].via = parse_address("203.0.114.2");
    CHECK(try_routes(next, table_after(interface_changes(now, next, table), {}, table)).size() ==
          1);
}
