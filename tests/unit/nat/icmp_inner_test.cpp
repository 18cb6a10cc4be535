#include "core/nat/icmp_inner.hpp"

#include <doctest/doctest.h>

#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr std::uint8_t kUnreachable = 3;
constexpr const char* kServer = "198.51.100.80:53";
constexpr std::size_t kWhole = 2000;

PacketBuilder error(const char* from, const char* towards) {
    return ip(proto::kIcmp, from, towards).icmp(kUnreachable, 1, 0);
}

// The quoted packet alone, as a router would have quoted it.
Packet unquote(NatBox& box, const Packet& outer) {
    Packet inner(box.pool, outer.l4().subspan(8));
    REQUIRE(dissect(inner).accepted());
    return inner;
}

}  // namespace

TEST_CASE_FIXTURE(NatBox, "an error from outside reaches the host, with the packet the host sent") {
    const auto sent = udp("10.0.0.2:4000", kServer).payload(20);
    const Packet seen = snat(sent, to("203.0.113.7", 777, 777));
    const auto seen_outside = udp("203.0.113.7:777", kServer).payload(20);
    const Packet out = forward(error("192.0.2.1", "203.0.113.7").quoting(seen_outside, kWhole));
    CHECK(to_string(out.layout.source) == "192.0.2.1");
    CHECK(to_string(out.layout.destination) == "10.0.0.2");
    CHECK(sums_up(out));
    const Packet inner = unquote(*this, out);
    CHECK(ends(inner) == "10.0.0.2:4000 > 198.51.100.80:53");
    CHECK(sums_up(inner));
}

TEST_CASE_FIXTURE(NatBox, "an error from any inside host leaves with the public address") {
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.7", 777, 777));
    forward(udp(kServer, "203.0.113.7:777").payload(6));
    const auto answer = udp(kServer, "10.0.0.2:4000").payload(6);
    const Packet out = forward(error("10.0.0.66", "198.51.100.80").quoting(answer, kWhole));
    CHECK(to_string(out.layout.source) == "203.0.113.7");
    CHECK(sums_up(out));
    const Packet inner = unquote(*this, out);
    CHECK(ends(inner) == "198.51.100.80:53 > 203.0.113.7:777");
    CHECK(sums_up(inner));
}

TEST_CASE_FIXTURE(NatBox, "eight quoted bytes of TCP are enough; the checksum lies behind them") {
    snat(tcp("10.0.0.2:4000", "198.51.100.80:80").syn(), to("203.0.113.7", 777, 777));
    const auto seen = tcp("203.0.113.7:777", "198.51.100.80:80").syn();
    const Packet out = forward(error("192.0.2.1", "203.0.113.7").quoting(seen, 28));
    CHECK(sums_up(out));
    CHECK(to_string(quoted(out).source) == "10.0.0.2");
    CHECK(wire::load16(out.l4().data() + 8 + 20) == 4000);
    CHECK(out.size() == 20 + 8 + 28);
}

TEST_CASE_FIXTURE(NatBox, "four quoted bytes are known but cannot be translated") {
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.7"));
    const auto seen = udp("203.0.113.7:4000", kServer);
    CHECK(forward(error("192.0.2.1", "203.0.113.7").quoting(seen, 24)).empty());
    CHECK(last.reason() == DropReason::NatUntranslatable);
}

TEST_CASE_FIXTURE(NatBox, "a quoted UDP checksum of zero stays zero") {
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.7"));
    auto seen = udp("203.0.113.7:4000", kServer).payload(4).bytes();
    wire::store16(seen.data() + 20 + wire::udp::kChecksumOffset, 0);
    const std::string text(seen.begin(), seen.end());
    const Packet out = forward(error("192.0.2.1", "203.0.113.7").data(text));
    CHECK(sums_up(out));
    CHECK(wire::load16(out.l4().data() + 8 + 20 + wire::udp::kChecksumOffset) == 0);
}

TEST_CASE_FIXTURE(NatBox, "a quoted ping gets its own id back") {
    snat(ping("10.0.0.2", "198.51.100.80", 9), to("203.0.113.7", 500, 500));
    const auto seen = ping("203.0.113.7", "198.51.100.80", 500);
    const Packet out = forward(error("192.0.2.1", "203.0.113.7").quoting(seen, kWhole));
    CHECK(sums_up(out));
    const Packet inner = unquote(*this, out);
    CHECK(ends(inner) == "10.0.0.2 id 9 > 198.51.100.80");
    CHECK(sums_up(inner));
}

TEST_CASE_FIXTURE(NatBox, "an error about a forwarded port comes from the address the peer knows") {
    dnat(udp("192.0.2.5:1234", "203.0.113.7:53"), to("10.0.0.9", 5353, 5353));
    const auto seen = udp("192.0.2.5:1234", "10.0.0.9:5353").payload(8);
    const Packet out = forward(error("10.0.0.9", "192.0.2.5").quoting(seen, kWhole));
    CHECK(to_string(out.layout.source) == "203.0.113.7");
    const Packet inner = unquote(*this, out);
    CHECK(ends(inner) == "192.0.2.5:1234 > 203.0.113.7:53");
    CHECK(sums_up(out));
}

TEST_CASE_FIXTURE(NatBox, "redirects about translated connections are dropped, others pass") {
    constexpr std::uint8_t kRedirect = 5;
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.7"));
    const auto about = [&](const PacketBuilder& quote, const char* towards) {
        return forward(
            ip(proto::kIcmp, "192.0.2.1", towards).icmp(kRedirect, 1, 0).quoting(quote, kWhole));
    };
    CHECK(about(udp("203.0.113.7:4000", kServer), "203.0.113.7").empty());
    forward(udp("192.0.2.9:4000", kServer));
    CHECK_FALSE(about(udp("192.0.2.9:4000", kServer), "192.0.2.9").empty());
}

TEST_CASE_FIXTURE(NatBox, "unverified errors with a bad checksum die at translation") {
    conntrack::Settings settings;
    settings.checksum = 0;
    conntrack.set_settings(settings);
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.7"));
    const auto seen = udp("203.0.113.7:4000", kServer);
    CHECK(forward(error("192.0.2.1", "203.0.113.7").quoting(seen).bad_checksum()).empty());
}

TEST_CASE_FIXTURE(NatBox, "ICMPv6 errors are translated with their pseudo header") {
    constexpr std::uint8_t kUnreachable6 = 1;
    snat(udp("[fd00::2]:4000", "[2001:db8::80]:53").payload(8), to("2001:db8::7", 777, 777));
    const auto seen = udp("[2001:db8::7]:777", "[2001:db8::80]:53").payload(8);
    const Packet out = forward(ip(proto::kIcmpv6, "2001:db8::1", "2001:db8::7")
                                   .icmp(kUnreachable6, 4, 0)
                                   .quoting(seen, kWhole));
    CHECK(to_string(out.layout.destination) == "fd00::2");
    CHECK(sums_up(out));
    const Packet inner = unquote(*this, out);
    CHECK(ends(inner) == "fd00::2:4000 > 2001:db8::80:53");
    CHECK(sums_up(inner));
}
