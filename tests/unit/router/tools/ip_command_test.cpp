// ip(8) against a router: what changes, what is refused in the kernel's words, what is shown.
#include "router/tools/ip/command.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "core/pipeline/router.hpp"

namespace nsr::router {
namespace {

struct Bench {
    Router router{{}};
    std::vector<IpArgs> links_changed;

    Bench() {
        add("lan", {"10.1.0.1/24", "fd00:1::1/64"});
        add("wan", {"198.51.100.1/24", "198.51.100.2/24"});
    }

    void add(const char* name, std::initializer_list<const char*> addresses) {
        routing::Interface interface;
        interface.name = name;
        for (const char* address : addresses) {
            interface.addresses.push_back(*parse_prefix(address));
        }
        router.add_interface(std::move(interface));
    }

    IpAnswer run(std::string_view line) {
        const auto args = parse_ip_args(line);
        REQUIRE_MESSAGE(args.ok(), std::string(line));
        return run_ip(*args, router, Instant{},
                      [this](const IpArgs& link) { links_changed.push_back(link); });
    }
    std::string error(std::string_view line) { return run(line).error; }
    std::string show(std::string_view line) { return run(line).text; }
};

}  // namespace

TEST_CASE_FIXTURE(Bench, "ip addr: added, shown, refused, removed") {
    CHECK(error("addr add 203.0.113.7/32 dev wan").empty());
    CHECK(show("-4 addr show wan") ==
          "2: wan: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1500 state UP\n"
          "    inet 198.51.100.1/24 scope global wan\n"
          "    inet 198.51.100.2/24 scope global wan\n"
          "    inet 203.0.113.7/32 scope global wan\n");
    CHECK(error("addr add 203.0.113.7/32 dev wan") == "Error: ipv4: Address already assigned.");
    CHECK(error("addr add fd00:1::1/64 dev wan") ==
          "Error: ipv6: Address already assigned to lan.");
    CHECK(error("addr del 203.0.113.8/32 dev wan") == "Error: ipv4: Address not found.");
    CHECK(error("addr add 203.0.113.8/32 dev dmz") == "Cannot find device \"dmz\"");
}

TEST_CASE_FIXTURE(Bench,
                  "ip addr del: without a length any will do; secondaries go with their primary") {
    CHECK(error("addr del 198.51.100.1/32 dev wan") == "Error: ipv4: Address not found.");
    CHECK(error("addr del 198.51.100.1 dev wan").empty());
    CHECK(show("-4 addr show wan") ==
          "2: wan: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1500 state UP\n");
}

TEST_CASE_FIXTURE(Bench, "ip route: in order, with what the kernel says of them") {
    CHECK(error("route add default via 198.51.100.9").empty());
    CHECK(error("route add blackhole 10.66.0.0/16").empty());
    CHECK(error("route add 10.9.0.0/16 dev lan").empty());
    CHECK(error("-6 route add fd09::/64 via fd00:1::9").empty());
    CHECK(show("route") ==
          "default via 198.51.100.9 dev wan\n"
          "10.1.0.0/24 dev lan proto kernel scope link src 10.1.0.1\n"
          "10.9.0.0/16 dev lan scope link\n"
          "blackhole 10.66.0.0/16\n"
          "198.51.100.0/24 dev wan proto kernel scope link src 198.51.100.1\n");
    CHECK(show("-6 route") ==
          "fd00:1::/64 dev lan proto kernel metric 256\n"
          "fd09::/64 via fd00:1::9 dev lan metric 1024\n");
}

TEST_CASE_FIXTURE(Bench, "ip route: what cannot be is refused in the words of ip(8)") {
    REQUIRE(error("route add default via 198.51.100.9").empty());
    CHECK(error("route add default via 10.1.0.9") == "RTNETLINK answers: File exists");
    CHECK(error("route replace default via 10.1.0.9").empty());
    CHECK(error("route add 10.9.0.0/16 via 203.0.113.1") == "Error: Nexthop has invalid gateway.");
    CHECK(error("route add fd09::/64 via fd08::1") == "RTNETLINK answers: No route to host");
    CHECK(error("route del 10.9.0.0/16") == "RTNETLINK answers: No such process");
}

TEST_CASE_FIXTURE(Bench,
                  "ip link set: the device is changed with the router, unless it is refused") {
    CHECK(error("link set wan mtu 1000 down").empty());
    CHECK(show("link show wan") == "2: wan: <POINTOPOINT,NOARP> mtu 1000 state DOWN\n");
    REQUIRE(links_changed.size() == 1);
    CHECK(links_changed[0].mtu == 1000);
    CHECK(links_changed[0].up == false);
    CHECK(error("link set lan mtu 1000") ==
          "Error: mtu of lan must be at least 1280 while it has an IPv6 address.");
    CHECK(error("link set dmz mtu 1400") == "Cannot find device \"dmz\"");
    CHECK(links_changed.size() == 1);
}

}  // namespace nsr::router
