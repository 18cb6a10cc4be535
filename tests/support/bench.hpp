// A bare router between lan (10.0.0.1/24, fd00:1::1/64) and wan (192.0.2.1/24, 2001:db8::1/64), for
// tests that walk a list of what the router offers. Stories are told with a World.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/pipeline/router.hpp"
#include "core/rules/language/parse.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

struct Bench {
    explicit Bench(const std::string& rules = {}, Family family = Family::Ipv4,
                   Router::Options options = {.tracking = TrackingMode::On})
        : router(std::make_unique<Router>(std::move(options))) {
        lan = add_link("lan", "10.0.0.1/24", "fd00:1::1/64");
        wan = add_link("wan", "192.0.2.1/24", "2001:db8::1/64");
        rules::Ruleset ruleset;
        REQUIRE(rules::parse_save(rules, "given", family, ruleset).empty());
        router->apply(std::move(ruleset), now);
    }

    IfIndex add_link(const char* name, const char* v4, const char* v6) const {
        return router->add_interface(
            {.name = name, .addresses = {*parse_prefix(v4), *parse_prefix(v6)}});
    }
    // From now on processes of the [host] namespace are the router as a host.
    void add_host() { host = router->add_interface({.name = "host", .host = true}); }

    void receive(IfIndex interface, Packet packet) {
        packet.meta.in = interface;
        router->receive({&packet, 1}, now, left);
    }
    void from_lan(const PacketBuilder& packet) { receive(lan, packet.packet(pool)); }
    void from_wan(const PacketBuilder& packet) { receive(wan, packet.packet(pool)); }
    void from_host(const PacketBuilder& packet) { receive(host, packet.packet(pool)); }
    void from_lan(const std::vector<std::uint8_t>& bytes) { receive(lan, Packet(pool, bytes)); }

    BufferPool pool;
    Instant now{std::chrono::seconds(1000)};
    EgressQueue left;
    std::unique_ptr<Router> router;
    IfIndex lan = IfIndex::None;
    IfIndex wan = IfIndex::None;
    IfIndex host = IfIndex::None;
};

}  // namespace nsr::test
