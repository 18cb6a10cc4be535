// What of a packet counts when a route has several next hops.
#include "core/pipeline/flow_keys.hpp"

#include <doctest/doctest.h>

#include "core/packet/dissect.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nsr;
using namespace nsr::test;
using routing::HashPolicy;

namespace {

constexpr SipKey kKey{1, 2};
constexpr HashPolicy kBoth[] = {HashPolicy::Addresses, HashPolicy::Ports};

struct Given {
    PacketBuilder packet;
    bool own = false;
    std::uint8_t flow_label = 0;
};

std::uint32_t hash(HashPolicy policy, const Given& given) {
    BufferPool pool;
    Packet packet = given.packet.packet(pool);
    if (given.flow_label != 0) {
        packet.bytes()[3] = given.flow_label;
    }
    REQUIRE(dissect(packet).accepted());
    packet.meta.locally_generated = given.own;
    return hash_of(pipeline::hash_keys(packet, policy), kKey);
}

}  // namespace

TEST_CASE("flow keys: both directions of a connection are alike") {
    for (const HashPolicy policy : kBoth) {
        CHECK(hash(policy, {tcp("10.0.0.2:4000", "198.51.100.7:80")}) ==
              hash(policy, {tcp("198.51.100.7:80", "10.0.0.2:4000")}));
        CHECK(hash(policy, {tcp("[fd00:1::2]:80", "[2001:db8::7]:4000")}) ==
              hash(policy, {tcp("[2001:db8::7]:4000", "[fd00:1::2]:80")}));
        CHECK(hash(policy, {tcp("10.0.0.2:4000", "198.51.100.7:80")}) !=
              hash(policy, {tcp("10.0.0.2:4000", "198.51.100.8:80")}));
    }
}

TEST_CASE("flow keys: ports and protocol count if they shall, those of fragments never") {
    const Given one{tcp("10.0.0.2:4000", "198.51.100.7:80")};
    const Given other{tcp("10.0.0.2:4001", "198.51.100.7:80")};
    const Given third{udp("10.0.0.2:4000", "198.51.100.7:80")};
    CHECK(hash(HashPolicy::Addresses, one) == hash(HashPolicy::Addresses, other));
    CHECK(hash(HashPolicy::Addresses, one) == hash(HashPolicy::Addresses, third));
    CHECK(hash(HashPolicy::Ports, one) != hash(HashPolicy::Ports, other));
    CHECK(hash(HashPolicy::Ports, one) != hash(HashPolicy::Ports, third));
    const auto fragment = [](const char* source) {
        return Given{udp(source, "198.51.100.7:80").payload(100).fragment(0, true, 64)};
    };
    CHECK(hash(HashPolicy::Ports, fragment("10.0.0.2:4000")) ==
          hash(HashPolicy::Ports, fragment("10.0.0.2:4001")));
}

TEST_CASE("flow keys: the flow label of IPv6 counts with the addresses, that of the router not") {
    const PacketBuilder packet = tcp("[fd00:1::2]:80", "[2001:db8::7]:4000");
    CHECK(hash(HashPolicy::Addresses, {packet, false, 7}) !=
          hash(HashPolicy::Addresses, {packet, false, 8}));
    CHECK(hash(HashPolicy::Addresses, {packet, true, 7}) ==
          hash(HashPolicy::Addresses, {packet, true, 8}));
    CHECK(hash(HashPolicy::Ports, {packet, false, 7}) ==
          hash(HashPolicy::Ports, {packet, false, 8}));
    CHECK(hash(HashPolicy::Addresses, {packet}) !=
          hash(HashPolicy::Addresses, {udp("[fd00:1::2]:80", "[2001:db8::7]:4000")}));
}

TEST_CASE("flow keys: an ICMP error goes the way of the packet that it quotes") {
    const Given flow{udp("10.0.0.2:4000", "198.51.100.7:53")};
    const PacketBuilder quoted = udp("198.51.100.7:53", "10.0.0.2:4000");
    const PacketBuilder error = ip(1, "10.0.9.9", "198.51.100.7").icmp(3, 3, 0).quoting(quoted);
    CHECK(hash(HashPolicy::Addresses, {error}) == hash(HashPolicy::Addresses, flow));
    CHECK(hash(HashPolicy::Ports, {error}) != hash(HashPolicy::Ports, flow));
    CHECK(hash(HashPolicy::Ports, {error, true}) == hash(HashPolicy::Ports, flow));

    const Given flow6{udp("[fd00:1::2]:4000", "[2001:db8::7]:53")};
    const PacketBuilder error6 = ip(58, "fd00:9::9", "2001:db8::7")
                                     .icmp(1, 4, 0)
                                     .quoting(udp("[2001:db8::7]:53", "[fd00:1::2]:4000"), 48);
    CHECK(hash(HashPolicy::Addresses, {error6}) == hash(HashPolicy::Addresses, flow6));
    CHECK(hash(HashPolicy::Ports, {error6, true}) == hash(HashPolicy::Ports, flow6));
}

TEST_CASE("flow keys: an answer quotes nothing, nor does an error that is cut off") {
    const PacketBuilder quoted = udp("198.51.100.7:53", "10.0.0.2:4000");
    const PacketBuilder answer = ip(1, "10.0.9.9", "198.51.100.7").icmp(0, 0, 0).quoting(quoted);
    const PacketBuilder cut_off =
        ip(1, "10.0.9.9", "198.51.100.7").icmp(3, 3, 0).quoting(quoted, 12);
    const Given plain{ping("10.0.9.9", "198.51.100.7")};
    for (const HashPolicy policy : kBoth) {
        CHECK(hash(policy, {answer}) == hash(policy, plain));
        CHECK(hash(policy, {cut_off}) == hash(policy, plain));
    }
}
