// Mappings of rules that say how their NAT behaves: none stays when its connection cannot be.
#include "core/nat/mappings.hpp"

#include <doctest/doctest.h>

#include "core/nat/deterministic.hpp"
#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

nat::Range cone(std::string_view outside) {
    nat::Range range = to(outside);
    range.behaves = true;
    range.behaviour.mapping = nat::Dependence::Endpoint;
    return range;
}

// Records, and nothing beside them.
class RecordsAlone : public conntrack::Memory {
  public:
    void* block(unsigned arena, std::size_t index, std::size_t bytes) override {
        return arena == 0 ? memory_->block(arena, index, bytes) : nullptr;
    }

  private:
    std::unique_ptr<Memory> memory_ = conntrack::anonymous_memory();
};

}  // namespace

TEST_CASE("mappings: one whose connection gets no memory for its translation does not stay") {
    BufferPool pool;
    RandomSource random{1};
    LogLines silent;
    conntrack::Conntrack conntrack{conntrack::Settings{},
                                   {{1, 2}, silent, std::make_unique<RecordsAlone>()}};
    nat::Nat nat{conntrack, random, {3, 4}};
    const Instant now{std::chrono::seconds(1000)};
    conntrack.set_active(Family::Ipv4, true, now);
    Packet packet = udp("10.0.0.2:4000", "198.51.100.7:69").packet(pool);
    REQUIRE(dissect(packet).accepted());
    packet.meta.out = kWan;
    REQUIRE(conntrack.track(packet, now).accepted());
    // A helper is for that port from now on, and the connection is about to need a side record.
    conntrack::Settings settings;
    settings.helper = 1;
    settings.helpers = conntrack::helper_bit(conntrack::HelperId::Tftp);
    conntrack.set_settings(settings);
    const Verdict bound =
        nat.bind(packet, nat::Manip::Source, cone("192.0.2.1"), RuleId::None, now);
    CHECK(bound.reason() == DropReason::TrackingFailed);
    CHECK_FALSE(nat.mappings().empty());
    conntrack.release(packet);
    CHECK(nat.mappings().empty());
    CHECK(nat.mappings().sessions_of(address("10.0.0.2")) == 0);
}

TEST_CASE_FIXTURE(NatBox, "mappings: a packet that dies behind NAT takes its mapping along") {
    Packet packet = enter(udp("10.0.0.2:4000", "198.51.100.7:53"));
    bind(packet, nat::Manip::Source, cone("192.0.2.1"));
    CHECK(nat.mappings().all().size() == 1);
    conntrack.release(packet);
    CHECK(nat.mappings().empty());
}

TEST_CASE("mappings: a block that nobody used is another host's") {
    nat::Mappings mappings({1, 2});
    const IpAddress outside = address("192.0.2.1");
    CHECK(mappings.block_of(address("10.0.0.2"), outside, 512) == 1024);
    mappings.drop_unused_block(address("10.0.0.2"));
    CHECK(mappings.block_of(address("10.0.0.3"), outside, 512) == 1024);
    CHECK(mappings.block_of(address("10.0.0.2"), outside, 512) == 1536);
    CHECK(mappings.block_of(address("10.0.0.2"), address("192.0.2.2"), 512) == 1024);
    CHECK(mappings.block_of(address("10.0.0.4"), outside, 512) == 1536);  // it has moved
}

TEST_CASE("deterministic: addresses and ports are divided among the hosts of a prefix") {
    nat::Range range = to("192.0.2.16", "192.0.2.19");
    range.behaviour.ports = nat::PortChoice::Deterministic;
    range.behaviour.inside = *parse_prefix("10.0.0.0/22");
    range.behaviour.block_ports = 0;
    CHECK(nat::divide(range).block_ports == 64512 / 256);
    CHECK(nat::divide(range).suffices());
    const auto first = nat::block_of_host(range, address("10.0.0.0"));
    const auto last = nat::block_of_host(range, address("10.0.3.255"));
    REQUIRE(first);
    REQUIRE(last);
    CHECK(first->outside == address("192.0.2.16"));
    CHECK(first->ports.min == 1024);
    CHECK(last->outside == address("192.0.2.19"));
    CHECK(last->ports.min == 1024 + 255 * 252);
    CHECK_FALSE(nat::block_of_host(range, address("10.0.4.0")));
    CHECK_FALSE(nat::block_of_host(range, address("fd00::1")));
    range.behaviour.block_ports = 512;
    CHECK_FALSE(nat::divide(range).suffices());
    range.map_ports = true;
    range.min_port = 2000;
    range.max_port = 2999;
    range.behaviour.block_ports = 16;
    CHECK(nat::divide(range).blocks == 62);
    CHECK(nat::block_of_host(range, address("10.0.0.63"))->ports.min == 2016);
}

TEST_CASE("deterministic: IPv6 as well, and a pool over the border of a word") {
    nat::Range range = to("2001:db8::ffff:ffff", "2001:db8::1:0:2");
    range.behaviour.ports = nat::PortChoice::Deterministic;
    range.behaviour.inside = *parse_prefix("fd00::/118");
    range.behaviour.block_ports = 252;
    CHECK(nat::divide(range).addresses == 4);
    const auto block = nat::block_of_host(range, address("fd00::101"));
    REQUIRE(block);
    CHECK(block->outside == address("2001:db8::1:0:0"));
    CHECK(block->ports.min == 1024 + 252);
}
