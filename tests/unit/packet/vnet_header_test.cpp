#include "core/packet/vnet_header.hpp"

#include <doctest/doctest.h>

#include <array>

#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

extern "C" {
unsigned linux_vnet_size(void);
unsigned linux_vnet_offset(unsigned field);
unsigned linux_vnet_constant(unsigned which);
}

namespace {

using Header = std::array<std::uint8_t, kVnetHeaderBytes>;

Header make(unsigned flags, unsigned type, unsigned size, unsigned start = 0, unsigned offset = 0) {
    const auto low = [](unsigned v) { return static_cast<std::uint8_t>(v); };
    const auto high = [](unsigned v) { return static_cast<std::uint8_t>(v >> 8); };
    return {low(flags), low(type),  40,          0,           low(size),
            high(size), low(start), high(start), low(offset), high(offset)};
}

}  // namespace

TEST_CASE("the vnet header is the kernel's") {
    CHECK(linux_vnet_size() == kVnetHeaderBytes);
    const std::size_t offsets[] = {vnet::kFlagsOffset,         vnet::kGsoTypeOffset,
                                   vnet::kHeaderLengthOffset,  vnet::kGsoSizeOffset,
                                   vnet::kChecksumStartOffset, vnet::kChecksumOffsetOffset};
    for (unsigned i = 0; i < 6; ++i) {
        CHECK(linux_vnet_offset(i) == offsets[i]);
    }
    const unsigned constants[] = {vnet::kNeedsChecksum, vnet::kDataValid, vnet::kGsoNone,
                                  vnet::kGsoTcp4,       vnet::kGsoTcp6,   vnet::kGsoEcn,
                                  vnet::kGsoUdpL4};
    for (unsigned i = 0; i < 7; ++i) {
        CHECK(linux_vnet_constant(i) == constants[i]);
    }
}

TEST_CASE("offload goes into the header and comes back") {
    BufferPool pool;
    const Frame four = ip(6, tcp(0x10, counting(3000)));
    const Frame six_frame = ip(6, tcp(0x10, counting(3000), six()), {six()});
    struct Row {
        const Frame* frame;
        Header header;
        Gso gso;
    };
    const Row rows[] = {
        {&four, make(0, vnet::kGsoNone, 0), Gso::None},
        {&four, make(vnet::kNeedsChecksum, vnet::kGsoNone, 0, 20, 16), Gso::None},
        {&four, make(vnet::kDataValid, vnet::kGsoNone, 0), Gso::None},
        {&four, make(vnet::kNeedsChecksum, vnet::kGsoTcp4 | vnet::kGsoEcn, 1448, 20, 16),
         Gso::Tcp4},
        {&six_frame, make(vnet::kNeedsChecksum, vnet::kGsoTcp6, 1428, 40, 16), Gso::Tcp6},
        {&four, make(vnet::kNeedsChecksum, vnet::kGsoUdpL4, 1200, 20, 6), Gso::Udp},
    };
    for (const Row& row : rows) {
        Packet packet(pool, *row.frame);
        REQUIRE(decode_vnet_header(row.header, packet));
        CHECK(packet.offload.gso == row.gso);
        Header back{};
        encode_vnet_header(packet, back);
        Header expected = row.header;
        if (row.gso == Gso::None) {
            expected[vnet::kHeaderLengthOffset] = 0;
        }
        CHECK(back == expected);
    }
}

TEST_CASE("a vnet header that contradicts its packet is refused") {
    BufferPool pool;
    Packet packet(pool, ip(6, tcp(0x10, counting(3000))));
    const auto accepted = [&](const Header& header) { return decode_vnet_header(header, packet); };
    CHECK_FALSE(accepted(make(0, 2, 1000)));               // no such type
    CHECK_FALSE(accepted(make(0, 3, 1000)));               // old-style UDP fragmentation
    CHECK_FALSE(accepted(make(0, vnet::kGsoTcp4, 0)));     // segments of nothing
    CHECK_FALSE(accepted(make(0, vnet::kGsoTcp4, 1)));     // too many segments
    CHECK_FALSE(accepted(make(0, vnet::kGsoTcp6, 1000)));  // of the other family
    CHECK_FALSE(accepted(make(vnet::kNeedsChecksum, 0, 0, 3039, 0)));
    CHECK_FALSE(accepted(make(vnet::kNeedsChecksum, 0, 0, 65535, 65535)));
    CHECK(accepted(make(vnet::kNeedsChecksum, 0, 0, 3038, 0)));
    CHECK(accepted(make(0, vnet::kGsoTcp4, 2)));
}
