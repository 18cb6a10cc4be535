#include "core/local/groups.hpp"

#include <doctest/doctest.h>

#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::local;
using namespace nsr::test_frames;

namespace {

const IpAddress kMdns = *parse_address("224.0.0.251");
const IpAddress kOther = *parse_address("239.1.2.3");
const IpAddress kMdns6 = *parse_address("ff02::fb");

// Only the words that matter; nobody looks at the checksums.
void report(Groups& groups, const std::string& igmp) {
    BufferPool pool;
    Packet packet =
        packet_of(pool, ip(2, from_hex(igmp),
                           {.ends = {IpAddress::v4(10, 0, 0, 1), *parse_address("224.0.0.22")}}));
    REQUIRE(dissect(packet).accepted());
    groups.learn(packet);
}

void report6(Groups& groups, const std::string& icmpv6) {
    BufferPool pool;
    Packet packet =
        packet_of(pool, ip(58, from_hex(icmpv6),
                           {.ends = {*parse_address("fd00::1"), *parse_address("ff02::16")}}));
    REQUIRE(dissect(packet).accepted());
    groups.learn(packet);
}

const std::string kMdns6Hex = "ff0200000000000000000000000000fb";

}  // namespace

TEST_CASE("groups: version 3 reports join and leave, record by record") {
    Groups groups;
    CHECK_FALSE(groups.joined(kMdns));
    report(groups,
           "2200000000000002"
           "04000000e00000fb"
           "04000000ef010203");
    CHECK(groups.joined(kMdns));
    CHECK(groups.joined(kOther));
    report(groups,
           "2200000000000001"
           "03000000e00000fb");
    CHECK_FALSE(groups.joined(kMdns));
    CHECK(groups.joined(kOther));
}

TEST_CASE("groups: a socket that wants some sources only has joined, one that blocks one stays") {
    Groups groups;
    report(groups,
           "2200000000000001"
           "05000001e00000fb0a000002");
    CHECK(groups.joined(kMdns));
    report(groups,
           "2200000000000001"
           "06000001e00000fb0a000002");
    CHECK(groups.joined(kMdns));
    report(groups,
           "2200000000000001"
           "06000001ef0102030a000002");
    CHECK_FALSE(groups.joined(kOther));
}

TEST_CASE("groups: version 1 and 2 reports join, a leave leaves") {
    Groups groups;
    report(groups, "12000000e00000fb");
    report(groups, "16000000ef010203");
    CHECK(groups.joined(kMdns));
    CHECK(groups.joined(kOther));
    report(groups, "17000000e00000fb");
    CHECK_FALSE(groups.joined(kMdns));
}

TEST_CASE("groups: both versions of MLD") {
    Groups groups;
    report6(groups,
            "8f00000000000001"
            "04000000" +
                kMdns6Hex);
    CHECK(groups.joined(kMdns6));
    report6(groups,
            "8f00000000000001"
            "03000000" +
                kMdns6Hex);
    CHECK_FALSE(groups.joined(kMdns6));
    report6(groups, "8300000000000000" + kMdns6Hex);
    CHECK(groups.joined(kMdns6));
    report6(groups, "8400000000000000" + kMdns6Hex);
    CHECK_FALSE(groups.joined(kMdns6));
}

TEST_CASE("groups: a report that lies about its length, or names no group, is harmless") {
    Groups groups;
    report(groups,
           "2200000000000005"
           "04000000e00000fb"
           "0400ffffef010203");
    CHECK(groups.joined(kMdns));
    CHECK(groups.joined(kOther));
    report(groups,
           "2200000000000001"
           "04000000e000");
    report(groups, "16000000");
    report(groups, "160000000a000001");
    CHECK_FALSE(groups.joined(IpAddress::v4(10, 0, 0, 1)));
}

TEST_CASE("groups: there is an end to how many are remembered") {
    Groups groups;
    for (unsigned i = 0; i <= Groups::kMost; ++i) {
        Frame bytes = from_hex("16000000ef000000");
        put16(bytes, 6, i);
        report(groups, to_hex(bytes));
    }
    CHECK(groups.joined(IpAddress::v4(0xef000000 + Groups::kMost - 1)));
    CHECK_FALSE(groups.joined(IpAddress::v4(0xef000000 + Groups::kMost)));
}
