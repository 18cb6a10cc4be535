#include "core/routing/interface_table.hpp"

#include <doctest/doctest.h>

using namespace nsr;
using routing::Interface;
using routing::InterfaceTable;

namespace {

IpAddress address(const char* text) {
    return *parse_address(text);
}

IfIndex add(InterfaceTable& table, const char* name, std::vector<const char*> addresses) {
    Interface interface;
    interface.name = name;
    for (const char* each : addresses) {
        interface.addresses.push_back(*parse_prefix(each));
    }
    return table.add(std::move(interface));
}

}  // namespace

TEST_CASE("interfaces are numbered from 1 and found by name") {
    InterfaceTable table;
    const IfIndex lan = add(table, "lan", {});
    const IfIndex wan = add(table, "wan", {});
    CHECK(raw(lan) == 1);
    CHECK(raw(wan) == 2);
    CHECK(table.find("wan")->index == wan);
    CHECK(table.find("dmz") == nullptr);
    table.get(lan).mtu = 1400;
    CHECK(table.find("lan")->mtu == 1400);
}

TEST_CASE("own addresses have an owner; loopback is own without one") {
    InterfaceTable table;
    add(table, "lan", {"10.1.0.1/24"});
    const IfIndex wan = add(table, "wan", {"198.51.100.7/24", "2001:db8::7/64"});
    CHECK(table.owner_of(address("2001:db8::7")) == wan);
    CHECK(table.owner_of(address("198.51.100.8")) == IfIndex::None);
    CHECK(table.owner_of(address("127.0.0.1")) == IfIndex::None);
    CHECK(table.is_own(address("127.8.8.8")));
    CHECK(table.is_own(address("::1")));
    CHECK(table.is_own(address("198.51.100.7")));
    CHECK_FALSE(table.is_own(address("198.51.100.8")));
}

TEST_CASE("an IPv4 source: the address of the destination's network, else the primary") {
    InterfaceTable table;
    add(table, "lan", {"10.1.0.1/24"});
    const IfIndex wan = add(table, "wan", {"198.51.100.7/24", "203.0.113.7/24"});
    CHECK(table.source_for(wan, address("203.0.113.9")) == address("203.0.113.7"));
    CHECK(table.source_for(wan, address("192.0.2.9")) == address("198.51.100.7"));
}

TEST_CASE("an address that goes takes the later ones of its IPv4 network along") {
    InterfaceTable table;
    const IfIndex wan = add(table, "wan",
                            {"198.51.100.7/24", "198.51.100.8/24", "198.51.100.9/25",
                             "203.0.113.7/24", "fd00:1::1/64", "fd00:1::2/64"});
    const auto remove = [&](const char* text) {
        std::string gone;
        for (const Prefix& each : remove_address(table.get(wan), *parse_prefix(text))) {
            gone += to_string(each) + " ";
        }
        return gone;
    };
    CHECK(remove("198.51.100.7/25").empty());
    CHECK(remove("198.51.100.7/24") == "198.51.100.7/24 198.51.100.8/24 ");
    CHECK(remove("fd00:1::1/64") == "fd00:1::1/64 ");
    CHECK(table.get(wan).addresses.size() == 3);
}

TEST_CASE("of an IPv4 network a secondary address goes alone") {
    InterfaceTable table;
    const IfIndex wan = add(table, "wan", {"198.51.100.7/24", "198.51.100.8/24"});
    CHECK(remove_address(table.get(wan), *parse_prefix("198.51.100.8/24")).size() == 1);
    CHECK(table.get(wan).addresses.size() == 1);
}

TEST_CASE("an interface without IPv4 addresses borrows another's") {
    InterfaceTable table;
    const IfIndex tunnel = add(table, "tunnel", {"fd00:9::1/64"});
    CHECK_FALSE(table.source_for(tunnel, address("192.0.2.9")));
    add(table, "lan", {"10.1.0.1/24"});
    CHECK(table.source_for(tunnel, address("192.0.2.9")) == address("10.1.0.1"));
}

TEST_CASE("an IPv6 source: scope, then link, then label, then longest prefix") {
    InterfaceTable table;
    add(table, "lan", {"2001:db8:1::1/64"});
    const IfIndex wan =
        add(table, "wan", {"fe80::1/64", "fd00:2::1/64", "2001:db8:2::1/64", "2001:db8:3::1/64"});
    CHECK(table.source_for(wan, address("2001:db8:2::9")) == address("2001:db8:2::1"));
    CHECK(table.source_for(wan, address("2001:db8:3::9")) == address("2001:db8:3::1"));
    CHECK(table.source_for(wan, address("fd00:7::9")) == address("fd00:2::1"));
    CHECK(table.source_for(wan, address("fe80::9")) == address("fe80::1"));
    // The better prefix of another link does not outweigh the outgoing link.
    CHECK(table.source_for(wan, address("2001:db8:1::9")) == address("2001:db8:3::1"));
    CHECK_FALSE(table.source_for(IfIndex::None, address("fe80::9")));
}

TEST_CASE("an interface that is gone leaves the others their indices, and its own to nobody") {
    InterfaceTable table;
    const IfIndex lan = add(table, "lan", {"10.0.1.1/24"});
    const IfIndex wan = add(table, "wan", {"192.0.2.1/24"});
    const IfIndex dmz = add(table, "dmz", {});
    table.remove(wan);
    CHECK_FALSE(table.has(wan));
    CHECK(table.find("wan") == nullptr);
    CHECK(table.owner_of(address("192.0.2.1")) == IfIndex::None);
    CHECK(table.get(lan).name == "lan");
    CHECK(table.get(dmz).name == "dmz");
    CHECK(raw(table.next_index()) == 4);
    CHECK(raw(add(table, "wan", {})) == 4);
    CHECK(table.all().size() == 3);
    CHECK(table.names_by_index() == std::vector<std::string>{"lan", "", "dmz", "wan"});
}

TEST_CASE("the [host] interface may go, too") {
    InterfaceTable table;
    Interface host;
    host.host = true;
    const IfIndex index = table.add(std::move(host));
    CHECK(table.host() == index);
    table.remove(index);
    CHECK(table.host() == IfIndex::None);
}
