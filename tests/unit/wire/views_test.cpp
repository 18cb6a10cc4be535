#include <doctest/doctest.h>

#include <vector>

#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

using namespace nsr;
using namespace nsr::wire;

TEST_CASE("a TCP header, field by field") {
    const std::vector<std::uint8_t> bytes = {0x9c, 0x40, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0xf1,
                                             0xf2, 0xf3, 0xf4, 0x60, 0x12, 0xff, 0xfe, 0xab, 0xcd,
                                             0x00, 0x07, 0x02, 0x04, 0x05, 0xb4, 'h',  'i'};
    const auto tcp = TcpView::parse(bytes);
    REQUIRE(tcp.has_value());
    CHECK(tcp->source_port() == 40000);
    CHECK(tcp->destination_port() == 80);
    CHECK(tcp->sequence_number() == 0x01020304);
    CHECK(tcp->acknowledgment_number() == 0xf1f2f3f4);
    CHECK(tcp->data_offset_bytes() == 24);
    CHECK(tcp->flags() == (tcp::kSyn | tcp::kAck));
    CHECK(tcp->has(tcp::kSyn | tcp::kAck));
    CHECK_FALSE(tcp->has(tcp::kSyn | tcp::kFin));
    CHECK(tcp->window() == 65534);
    CHECK(tcp->checksum() == 0xabcd);
    CHECK(tcp->urgent_pointer() == 7);
    REQUIRE(tcp->options().size() == 4);
    CHECK(tcp->options()[0] == tcp::kOptionMss);
    CHECK(tcp->payload().size() == 2);
}

TEST_CASE("a TCP data offset that points nowhere gives neither options nor payload") {
    std::vector<std::uint8_t> bytes(20, 0);
    CHECK_FALSE(TcpView::parse(ConstBytes(bytes).first(19)).has_value());
    for (const int offset : {0x00, 0x40, 0x60, 0xf0}) {
        bytes[tcp::kDataOffsetOffset] = static_cast<std::uint8_t>(offset);
        const auto tcp = TcpView::parse(bytes);
        REQUIRE(tcp.has_value());
        CHECK_FALSE(tcp->data_offset_valid());
        CHECK(tcp->options().empty());
        CHECK(tcp->payload().empty());
    }
}

TEST_CASE("UDP and ICMP headers need their eight bytes") {
    const std::vector<std::uint8_t> bytes = {0x08, 0x03, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
    CHECK_FALSE(UdpView::parse(ConstBytes(bytes).first(7)).has_value());
    CHECK_FALSE(IcmpView::parse(ConstBytes(bytes).first(7)).has_value());
    const auto udp = *UdpView::parse(bytes);
    CHECK(udp.source_port() == 0x0803);
    CHECK(udp.destination_port() == 0x1122);
    CHECK(udp.length() == 0x3344);
    CHECK(udp.checksum() == 0x5566);
    CHECK(udp.payload().size() == 1);
    const auto icmp = *IcmpView::parse(bytes);
    CHECK(icmp.type() == icmp::kEcho);
    CHECK(icmp.code() == 3);
    CHECK(icmp.checksum() == 0x1122);
    CHECK(icmp.identifier() == 0x3344);
    CHECK(icmp.sequence_number() == 0x5566);
    CHECK(icmp.info() == 0x33445566);
}

TEST_CASE("which ICMP messages are errors") {
    for (unsigned type = 0; type < 256; ++type) {
        const bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        CHECK(icmp::is_error(static_cast<std::uint8_t>(type)) == error);
        CHECK(icmpv6::is_error(static_cast<std::uint8_t>(type)) == (type < 128));
    }
}

TEST_CASE("IP headers, field by field") {
    const std::vector<std::uint8_t> four = {0x46, 0xb8, 0x01, 0x02, 0x03, 0x04, 0x60, 0x05,
                                            0x40, 0x11, 0xaa, 0xbb, 10,   0,    0,    1,
                                            192,  0,    2,    9,    0x94, 0x04, 0,    0};
    const auto v4 = *Ipv4View::parse(four);
    CHECK(v4.version() == 4);
    CHECK(v4.header_length_bytes() == 24);
    CHECK(v4.type_of_service() == 0xb8);
    CHECK(v4.total_length() == 0x0102);
    CHECK(v4.identification() == 0x0304);
    CHECK(v4.flags_and_offset() == (ipv4::kDontFragment | ipv4::kMoreFragments | 5));
    CHECK(v4.time_to_live() == 64);
    CHECK(v4.protocol() == 17);
    CHECK(v4.checksum() == 0xaabb);
    CHECK(v4.source() == IpAddress::v4(10, 0, 0, 1));
    CHECK(v4.destination() == IpAddress::v4(192, 0, 2, 9));
    REQUIRE(v4.options().size() == 4);
    CHECK(v4.options()[0] == ipv4::kOptionRouterAlert);
    CHECK(Ipv4View::parse(ConstBytes(four).first(20))->options().empty());

    std::vector<std::uint8_t> six(40, 0);
    store32(&six[0], 0x6ab12345);
    store16(&six[4], 1280);
    six[6] = 58;
    six[7] = 3;
    parse_address("fd00::1")->to_wire(&six[8]);
    parse_address("2001:db8::2")->to_wire(&six[24]);
    CHECK_FALSE(Ipv6View::parse(ConstBytes(six).first(39)).has_value());
    const auto v6 = *Ipv6View::parse(six);
    CHECK(v6.version() == 6);
    CHECK(v6.traffic_class() == 0xab);
    CHECK(v6.flow_label() == 0x12345);
    CHECK(v6.payload_length() == 1280);
    CHECK(v6.next_header() == 58);
    CHECK(v6.hop_limit() == 3);
    CHECK(to_string(v6.source()) == "fd00::1");
    CHECK(to_string(v6.destination()) == "2001:db8::2");
}
