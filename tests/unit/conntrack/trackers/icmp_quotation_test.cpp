// Which connection an ICMP packet is about, as far as its quotation says.
#include <doctest/doctest.h>

#include <vector>

#include "core/conntrack/trackers/icmp_error.hpp"
#include "core/packet/dissect.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr std::size_t kIpv6Header = 40;
const std::vector<std::uint8_t> kFlow = udp("[2001:db8::2]:4000", "[2001:db8:1::7]:53").bytes();

// Behind its header, an ICMPv6 message has `before` and then the packet of kFlow.
std::optional<conntrack::Tuple> quoted(std::uint8_t type, const std::vector<std::uint8_t>& before) {
    static BufferPool pool;
    const std::size_t length = before.size() + kFlow.size();
    std::vector<std::uint8_t> bytes =
        ip(58, "fe80::1", "2001:db8::2").icmp(type, 0, 0).payload(length).bytes();
    const auto behind_header = bytes.begin() + kIpv6Header + 8;
    std::copy(kFlow.begin(), kFlow.end(), std::copy(before.begin(), before.end(), behind_header));
    Packet packet(pool, bytes);
    REQUIRE(dissect(packet).accepted());
    return conntrack::tuple_of_quoted_packet(packet);
}

// Target and destination of a redirect, and the head of an option.
std::vector<std::uint8_t> redirect(std::uint8_t option) {
    std::vector<std::uint8_t> before(32 + 8);
    before[32] = option;
    before[33] = static_cast<std::uint8_t>((8 + kFlow.size()) / 8);
    return before;
}

}  // namespace

TEST_CASE("The quotation of an ICMPv6 error, of a redirect, and of what quotes nothing") {
    constexpr std::uint8_t kTimeExceeded = 3;
    constexpr std::uint8_t kEcho = 128;
    constexpr std::uint8_t kRedirect = 137;
    constexpr std::uint8_t kLinkAddress = 2;
    constexpr std::uint8_t kRedirectedHeader = 4;
    for (const auto& tuple :
         {quoted(kTimeExceeded, {}), quoted(kRedirect, redirect(kRedirectedHeader))}) {
        REQUIRE(tuple);
        CHECK(to_string(tuple->source) == "2001:db8::2");
        CHECK(to_string(tuple->destination) == "2001:db8:1::7");
        CHECK(tuple->source_port == 4000);
        CHECK(tuple->destination_port == 53);
    }
    CHECK(!quoted(kRedirect, redirect(kLinkAddress)));
    CHECK(!quoted(kEcho, {}));
}
