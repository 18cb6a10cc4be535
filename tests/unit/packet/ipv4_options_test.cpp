#include "core/packet/ipv4_options.hpp"

#include <doctest/doctest.h>

#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

const IpAddress kOwn = IpAddress::v4(10, 0, 0, 1);
const IpAddress kOut = IpAddress::v4(192, 0, 2, 1);
const Ipv4Stamp kStamp = {kOwn, 0x01020304, [](const IpAddress& a) { return a == kOwn; }};

Packet with_options(BufferPool& pool, const Frame& options) {
    Ip header;
    header.options = options;
    return packet_of(pool, ip(17, udp({1}), header));
}

std::string options_of(const Packet& packet) {
    return to_hex(packet.bytes().subspan(20, packet.layout.l4_offset - 20U));
}

std::string recorded(const Frame& options) {
    BufferPool pool;
    Packet packet = with_options(pool, options);
    record_in_ipv4_options(packet, kStamp);
    return options_of(packet);
}

std::string forwarded(const Frame& options) {
    BufferPool pool;
    Packet packet = with_options(pool, options);
    restamp_ipv4_options(packet, record_in_ipv4_options(packet, kStamp), kOut);
    CHECK(wire::checksum(packet.bytes().first(packet.layout.l4_offset)) == 0);
    return options_of(packet);
}

// Of a packet whose options were recorded in; "none" for no answer.
std::string echoed(const Frame& options) {
    BufferPool pool;
    Packet packet = with_options(pool, options);
    record_in_ipv4_options(packet, kStamp);
    const auto answer = echo_ipv4_options(packet, kStamp);
    return answer ? to_hex(std::span(answer->bytes).first(answer->size)) : "none";
}

}  // namespace

TEST_CASE("a router records itself in the options that ask for it") {
    CHECK(recorded({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == "070b080a0000010000000000");
    CHECK(recorded({7, 7, 8, 1, 2, 3, 4, 0}) == "0707080102030400");  // full
    CHECK(recorded({68, 8, 5, 0, 0, 0, 0, 0}) == "4408090001020304");
    CHECK(recorded({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}) == "440c0d010a00000101020304");
    CHECK(recorded({68, 8, 9, 0x10, 9, 9, 9, 9}) == "4408092009090909");  // one more did not fit
    CHECK(recorded({68, 8, 9, 0x13, 9, 9, 9, 9}) == "4408091309090909");  // nobody counts these
    CHECK(recorded({68, 8, 5, 2, 0, 0, 0, 0}) == "4408050200000000");     // an unknown flag
    CHECK(recorded({1, 0, 5, 6}) == "01000000");
    CHECK(recorded({148, 4, 0, 0}) == "94040000");
}

TEST_CASE("a prespecified timestamp is for the one whose address it has") {
    CHECK(recorded({68, 12, 5, 3, 10, 0, 0, 1, 0, 0, 0, 0}) == "440c0d030a00000101020304");
    CHECK(recorded({68, 12, 5, 3, 10, 0, 0, 2, 0, 0, 0, 0}) == "440c05030a00000200000000");
}

TEST_CASE("what is malformed gets nothing, what is before it does") {
    CHECK(recorded({7, 7, 3, 0, 0, 0, 0, 0}) == "0707030000000000");
    CHECK(recorded({7, 7, 4, 0, 0, 0, 0, 68, 8, 4, 0, 0, 0, 0, 0, 0}) ==
          "0707080a000001440804000000000000");
}

TEST_CASE("a forwarded record route carries the address of the way out") {
    CHECK(forwarded({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == "070b08c00002010000000000");
    CHECK(forwarded({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}) == "440c0d010a00000101020304");
    CHECK(forwarded({68, 12, 5, 3, 10, 0, 0, 1, 0, 0, 0, 0}) == "440c0d030a00000101020304");
    CHECK(forwarded({7, 7, 8, 1, 2, 3, 4, 0}) == "0707080102030400");
}

TEST_CASE("an answer repeats what was recorded and records itself once more") {
    CHECK(echoed({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == "070b0c0a0000010a00000100");
    CHECK(echoed({7, 7, 4, 0, 0, 0, 0, 0}) == "0707080a00000100");
    CHECK(echoed({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == "440c0d000102030401020304");
    CHECK(echoed({1, 1, 1, 68, 8, 5, 0, 0, 0, 0, 0, 0}) == "4408090001020304");
    CHECK(echoed({148, 4, 0, 0}) == "");  // not these
    // In the order that the kernel has them in, filled up to four bytes.
    CHECK(echoed({68, 8, 5, 0, 0, 0, 0, 0, 7, 3, 4, 0}) == "070304440809000102030400");
}

TEST_CASE("a CIPSO option is of no domain known here, and is told so to its sender") {
    BufferPool pool;
    const Frame cipso = {134, 10, 0, 0, 0, 1, 1, 4, 0, 0};
    const Packet packet = with_options(pool, Frame{7, 3, 4} + cipso + Frame{0, 0, 0});
    CHECK(packet.layout.problem_pointer == 20 + 3 + 2);
    CHECK(echoed(Frame{7, 3, 4} + cipso + Frame{0, 0, 0}) == "070304860a0000000101040000000000");
}

TEST_CASE("room for half an entry: no answer") {
    // Six bytes of room for times: one is recorded, two bytes are left.
    CHECK(echoed({68, 10, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == "none");
}
