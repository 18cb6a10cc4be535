// A router that tracks what comes by lan, for what goes through its table.
#pragma once

#include <doctest/doctest.h>

#include "core/pipeline/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

struct TableFixture {
    BufferPool pool;
    Router router{{}};
    Instant now{std::chrono::seconds(1000)};

    TableFixture() {
        add("lan", "10.0.0.1/24");
        add("wan", "198.51.100.1/24");
        REQUIRE(router.set_tracking(TrackingMode::On, now).ok());
    }

    void send(const PacketBuilder& builder) {
        Packet packet = builder.packet(pool);
        packet.meta.in = router.interfaces().find("lan")->index;
        EgressQueue out;
        router.receive({&packet, 1}, now, out);
    }

  private:
    void add(const char* name, const char* address) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses.push_back(*parse_prefix(address));
        router.add_interface(std::move(interface));
    }
};

}  // namespace nsr::test
