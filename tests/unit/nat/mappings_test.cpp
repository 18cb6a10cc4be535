// Mappings of rules that say how their NAT behaves: none stays when its connection cannot be.
#include "core/nat/mappings.hpp"

#include <doctest/doctest.h>

#include "core/nat/deterministic.hpp"
#include "core/nat/knocks.hpp"
#include "core/nat/port_blocks.hpp"
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

nat::BlockKey block_of(std::string_view host, std::string_view outside) {
    return {{address(host)}, address(outside), nat::kUnprivilegedPorts, 512};
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
    CHECK(nat.mappings().sessions_of({address("10.0.0.2")}).begun_inside == 0);
}

TEST_CASE_FIXTURE(NatBox, "mappings: a packet that dies behind NAT takes its mapping along") {
    Packet packet = enter(udp("10.0.0.2:4000", "198.51.100.7:53"));
    bind(packet, nat::Manip::Source, cone("192.0.2.1"));
    CHECK(nat.mappings().all().size() == 1);
    conntrack.release(packet);
    CHECK(nat.mappings().empty());
}

TEST_CASE("blocks: one that nobody used is another host's") {
    nat::PortBlocks blocks({1, 2});
    const nat::BlockKey first = block_of("10.0.0.2", "192.0.2.1");
    CHECK(blocks.block_of(first)->min == 1024);
    blocks.drop_unused(first);
    CHECK(blocks.size() == 0);
    CHECK(blocks.block_of(block_of("10.0.0.3", "192.0.2.1"))->min == 1024);
    CHECK(blocks.block_of(first)->min == 1536);
}

TEST_CASE("blocks: a host keeps its block on each address as long as a mapping is in it") {
    nat::PortBlocks blocks({1, 2});
    const nat::BlockKey here = block_of("10.0.0.2", "192.0.2.1");
    const nat::BlockKey there = block_of("10.0.0.2", "192.0.2.2");
    CHECK(blocks.block_of(here)->min == 1024);
    blocks.join(here);
    blocks.join(here);
    CHECK(blocks.block_of(there)->min == 1024);
    blocks.join(there);
    CHECK(blocks.block_of(block_of("10.0.0.3", "192.0.2.1"))->min == 1536);
    blocks.leave(here);
    CHECK(blocks.block_of(here)->min == 1024);
    blocks.leave(here);
    CHECK(blocks.block_of(block_of("10.0.0.4", "192.0.2.1"))->min == 1024);
}

TEST_CASE("blocks: hosts with one address in two networks have two") {
    nat::PortBlocks blocks({1, 2});
    nat::BlockKey other = block_of("10.0.0.2", "192.0.2.1");
    other.host.zone = 7;
    CHECK(blocks.block_of(block_of("10.0.0.2", "192.0.2.1"))->min == 1024);
    CHECK(blocks.block_of(other)->min == 1536);
}

TEST_CASE("blocks: they are of the rule's ports, and all of them are given away") {
    nat::PortBlocks blocks({1, 2});
    nat::BlockKey key = block_of("10.0.0.0", "192.0.2.1");
    key.ports = {50000, 1000};
    key.size = 100;
    for (std::uint32_t i = 0; i < 10; ++i) {
        key.host.address = IpAddress::v4(0x0a000000 + i);
        CHECK(blocks.block_of(key) == nat::PortSpan{50000 + i * 100, 100});
    }
    key.host.address = address("10.0.0.99");
    CHECK_FALSE(blocks.block_of(key));
    CHECK(blocks.size() == 10);
}

TEST_CASE("blocks: rules that divide an address differently do not give the same port twice") {
    nat::PortBlocks blocks({1, 2});
    nat::BlockKey small = block_of("10.0.0.2", "192.0.2.1");
    small.size = 100;
    CHECK(blocks.block_of(small) == nat::PortSpan{1024, 100});
    const nat::BlockKey large = block_of("10.0.1.2", "192.0.2.1");
    CHECK(blocks.block_of(large) == nat::PortSpan{1536, 512});
    for (std::uint32_t i = 0; i < 8; ++i) {
        small.host.address = IpAddress::v4(0x0a000010 + i);
        const auto block = blocks.block_of(small);
        REQUIRE(block);
        CHECK((block->min + block->size <= 1536 || block->min >= 2048));
    }
}

TEST_CASE("mappings: what is to be forgotten is known as long as somebody ends its connections") {
    nat::Mappings mappings({1, 2});
    const nat::Source source{address("10.0.0.2"), 4000, proto::kUdp};
    const nat::Outside outside{address("192.0.2.1"), 4000, proto::kUdp};
    const auto id = mappings.add({{source}, outside, {}, RuleId{1}});
    mappings.join(id, ConnId{1}, {address("198.51.100.7")});
    auto other = mappings.forget({.rule = RuleId{2}});
    CHECK(mappings.find(outside) == id);
    auto own = mappings.forget({.rule = RuleId{1}});
    CHECK(mappings.find(outside) == nat::kNoMapping);
    mappings.leave(ConnId{1});
    own.reset();
    other.reset();
    const auto next = mappings.add({{source}, outside, {}, RuleId{1}});
    CHECK(next != id);
    CHECK(mappings.find(outside) == next);
}

TEST_CASE("mappings: ports in turn go round in their span, for so many addresses at a time") {
    nat::Mappings mappings({1, 2});
    const nat::PortSpan two{50000, 2};
    const nat::Outside first{address("192.0.2.1"), 0, proto::kUdp};
    for (const unsigned port : {50000u, 50001u, 50000u}) {
        CHECK(mappings.next_port(first, two) == port);
    }
    CHECK(mappings.next_port(first, nat::kUnprivilegedPorts) == 1024);
    CHECK(mappings.next_port(first, two) == 50001);
    CHECK(mappings.next_port(first, nat::kUnprivilegedPorts) == 1025);
    for (std::uint32_t i = 0; i < 4096; ++i) {
        mappings.next_port({IpAddress::v4(0x0a000000 + i), 0, proto::kUdp}, two);
    }
    CHECK(mappings.next_port(first, nat::kUnprivilegedPorts) == 1024);
}

TEST_CASE("knocks: an equal one is the same, and a host cannot make others' be forgotten") {
    nat::Knocks knocks;
    const Instant now{std::chrono::seconds(1000)};
    const auto knock = [](const char* host, Port port) {
        return nat::Knock{{address(host), 5000, proto::kUdp},
                          {address("192.0.2.1"), 5000, proto::kUdp},
                          {address("192.0.2.1"), port, proto::kUdp}};
    };
    knocks.add(knock("10.0.0.3", 4000), now);
    for (unsigned i = 0; i < 1000; ++i) {
        knocks.add(knock("10.0.0.9", static_cast<Port>(10000 + i)), now);
        knocks.add(knock("10.0.0.9", 9999), now);
    }
    CHECK(knocks.heard(knock("10.0.0.3", 4000), false, now));
    CHECK_FALSE(knocks.heard(knock("10.0.0.3", 4001), false, now));
    CHECK(knocks.heard(knock("10.0.0.3", 4001), true, now));
    CHECK(knocks.heard(knock("10.0.0.9", 9999), false, now));
    CHECK(knocks.heard(knock("10.0.0.9", 10999), false, now));
    CHECK_FALSE(knocks.heard(knock("10.0.0.9", 10000), false, now));
    CHECK_FALSE(knocks.heard(knock("10.0.0.4", 4000), false, now));
    CHECK_FALSE(knocks.heard(knock("10.0.0.3", 4000), false, now + nat::Knocks::kLast));
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
