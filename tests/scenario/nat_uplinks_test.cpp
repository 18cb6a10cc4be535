// A NAT with two uplinks: what an endpoint looks like on each, and who is inside.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

// lan and wan as every World has them, and alt, by which 198.51.100.25 is reached.
World behind(const std::string& profile) {
    const std::string rule = " -j MASQUERADE --profile " + profile + "\n";
    World w =
        given("*nat\n-A POSTROUTING -o wan" + rule + "-A POSTROUTING -o alt" + rule + "COMMIT\n");
    routing::Interface alt;
    alt.name = "alt";
    alt.addresses = {*parse_prefix("203.0.113.2/24")};
    w.router().add_interface(alt);
    routing::Route route{.to = *parse_prefix("198.51.100.25/32")};
    route.via = parse_address("203.0.113.1");
    REQUIRE(w.router().add_route(route) == routing::RouteChange::Done);
    return w;
}

void opens(World& w) {
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.7:53").ttl(63));
}

}  // namespace

TEST_CASE("nat uplinks: an endpoint has an address of the link by which it goes out") {
    World w = behind("full-cone");
    opens(w);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.25:53"));
    w.expect("alt", udp("203.0.113.2:4000", "198.51.100.25:53").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.8:53"));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.8:53").ttl(63));
    CHECK(w.router().nat().mappings().all().size() == 2);
}

TEST_CASE("nat uplinks: on a link with two addresses an endpoint keeps the one that it has") {
    World w = behind("full-cone");
    const IfIndex wan = w.router().interfaces().find("wan")->index;
    REQUIRE(w.router().add_address(wan, *parse_prefix("172.16.0.1/24")));
    opens(w);
    w.when("lan", udp("10.0.0.2:4000", "172.16.0.9:53"));
    w.expect("wan", udp("192.0.2.1:4000", "172.16.0.9:53").ttl(63));
    w.when("lan", udp("10.0.0.2:4001", "172.16.0.9:53"));
    w.expect("wan", udp("172.16.0.1:4001", "172.16.0.9:53").ttl(63));
}

TEST_CASE("nat uplinks: strangers are let in by the link of the address that they know") {
    World w = behind("full-cone");
    opens(w);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.25:53")).forget();
    w.when("alt", udp("203.0.113.9:7000", "203.0.113.2:4000"));
    w.expect("lan", udp("203.0.113.9:7000", "10.0.0.2:4000").ttl(63));
    w.when("wan", udp("198.51.100.9:7000", "192.0.2.1:4000"));
    w.expect("lan", udp("198.51.100.9:7000", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat uplinks: who comes by the other link is no host inside") {
    World w = behind("full-cone");
    opens(w);
    w.when("lan", udp("10.0.0.3:4000", "198.51.100.25:53")).forget();
    w.when("alt", udp("203.0.113.9:7000", "192.0.2.1:4000"));
    w.expect("lan", udp("203.0.113.9:7000", "10.0.0.2:4000").ttl(63));
    CHECK(w.router().nat().mappings().all().size() == 2);
}
