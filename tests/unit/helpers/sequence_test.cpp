// Numbers of a segment, moved: its own, what it acknowledges, and blocks of SACK.
#include "core/helpers/sequence.hpp"

#include <doctest/doctest.h>

#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

// The client's first 10 octets became 13, the server's first 20 became 15.
const conntrack::SequenceAdjusts kAdjusts = [] {
    conntrack::SequenceAdjusts adjusts;
    adjusts[0].change(1000, 3);
    adjusts[1].change(5000, -5);
    return adjusts;
}();

std::vector<std::uint8_t> sack(std::uint32_t from, std::uint32_t to) {
    std::vector<std::uint8_t> option = {1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    wire::store32(&option[4], from);
    wire::store32(&option[8], to);
    return option;
}

std::string moved(const PacketBuilder& builder, Direction direction) {
    BufferPool pool;
    Packet packet = builder.packet(pool);
    REQUIRE(dissect(packet).accepted());
    helpers::adjust_sequence(packet, direction, kAdjusts);
    return std::string(packet.bytes().begin(), packet.bytes().end());
}

std::string text(const PacketBuilder& builder) {
    const auto bytes = builder.bytes();
    return {bytes.begin(), bytes.end()};
}

PacketBuilder up() {
    return tcp("10.0.0.2:40000", "198.51.100.7:21");
}
PacketBuilder down() {
    return tcp("198.51.100.7:21", "10.0.0.2:40000");
}

}  // namespace

TEST_CASE(
    "sequence: numbers behind the change move with it, those before stay, both checksums right") {
    CHECK(moved(up().seq(1010).ack(5015).data("x"), Direction::Original) ==
          text(up().seq(1013).ack(5020).data("x")));
    CHECK(moved(up().seq(1000).ack(5000).data("x"), Direction::Original) ==
          text(up().seq(1000).ack(5000).data("x")));
    CHECK(moved(down().seq(5020).ack(1013), Direction::Reply) == text(down().seq(5015).ack(1010)));
    CHECK(moved(down().rst().seq(5020), Direction::Reply) == text(down().rst().seq(5015)));
}

TEST_CASE("sequence: blocks of SACK say what the other end has counted") {
    CHECK(moved(down().seq(5000).ack(1000).options(sack(1013, 1023)), Direction::Reply) ==
          text(down().seq(5000).ack(1000).options(sack(1010, 1020))));
    // An option that is no whole number of blocks is none.
    std::vector<std::uint8_t> odd = {5, 6, 0, 0, 3, 245, 1, 1};
    CHECK(moved(down().seq(5000).ack(1000).options(odd), Direction::Reply) ==
          text(down().seq(5000).ack(1000).options(odd)));
}
