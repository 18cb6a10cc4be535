#include "core/local/loopback_alias.hpp"

#include <doctest/doctest.h>

#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::local;
using namespace nsr::test_frames;

namespace {

const IpAddress kOwn = *parse_address("2001:db8::1");
const IpAddress kLoopback = *parse_address("::1");

Frame datagram(const Ends& ends) {
    return ip(17, udp(counting(20), ends), {.ends = ends});
}

Frame error_about(const Frame& quoted, const Ends& ends) {
    return ip(58, summed(from_hex("0104000000000000") + quoted, 58, 2, ends), {.ends = ends});
}

Packet dissected(BufferPool& pool, const Frame& frame) {
    Packet packet = packet_of(pool, frame);
    REQUIRE(dissect(packet).accepted());
    return packet;
}

}  // namespace

TEST_CASE("loopback alias: there and back, and every checksum stays right") {
    BufferPool pool;
    const Frame to_loopback = datagram({kOwn, kLoopback});
    const Frame to_alias = datagram({kOwn, kLoopbackAlias});
    Packet packet = dissected(pool, to_alias);
    restore_loopback(packet);
    CHECK(to_hex(packet.bytes()) == to_hex(to_loopback));
    alias_loopback(packet);
    CHECK(to_hex(packet.bytes()) == to_hex(to_alias));
}

TEST_CASE("loopback alias: an error quotes the name that its reader knows") {
    BufferPool pool;
    const Frame error = error_about(datagram({kOwn, kLoopbackAlias}), {kLoopbackAlias, kOwn});
    Packet packet = dissected(pool, error);
    restore_loopback(packet);
    CHECK(transport_checksum_right(packet));
    CHECK(packet.layout.source == kLoopback);
    CHECK(IpAddress::from_wire(Family::Ipv6, packet.data() + 40 + 8 + 24) == kLoopback);
    CHECK(IpAddress::from_wire(Family::Ipv6, packet.data() + 40 + 8 + 8) == kOwn);
    alias_loopback(packet);
    CHECK(to_hex(packet.bytes()) == to_hex(error));
}

TEST_CASE("loopback alias: other packets, and errors that quote too little, are left alone") {
    BufferPool pool;
    for (const Frame& frame :
         {datagram(six()), datagram({}), error_about(from_hex("60000000"), six())}) {
        Packet packet = dissected(pool, frame);
        alias_loopback(packet);
        restore_loopback(packet);
        CHECK(to_hex(packet.bytes()) == to_hex(frame));
    }
}
