#include "core/wire/address.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

using namespace nsr;

TEST_CASE("IPv4 addresses: four decimal numbers and nothing else") {
    CHECK(parse_address("10.1.2.3") == IpAddress::v4(10, 1, 2, 3));
    CHECK(parse_address("255.255.255.255")->is_limited_broadcast());
    for (const char* text :
         {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", "1.2.3.4 ", " 1.2.3.4",
          "1.2.3.-4", "1.2.3.4.", "a.b.c.d", "1,2,3,4"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_address(text).has_value());
    }
}

TEST_CASE("IPv6 addresses: the text forms of RFC 4291 2.2") {
    const std::array<std::pair<const char*, IpAddress>, 9> rows = {{
        {"2001:DB8:0:0:8:800:200C:417A", IpAddress::v6(0x20010db8, 0, 0x00080800, 0x200c417a)},
        {"2001:db8::8:800:200c:417a", IpAddress::v6(0x20010db8, 0, 0x00080800, 0x200c417a)},
        {"::1", IpAddress::v6(0, 0, 0, 1)},
        {"::", IpAddress::v6(0, 0, 0, 0)},
        {"fe80::", IpAddress::v6(0xfe800000, 0, 0, 0)},
        {"1:2:3:4:5:6:7::", IpAddress::v6(0x10002, 0x30004, 0x50006, 0x70000)},
        {"::2:3:4:5:6:7:8", IpAddress::v6(2, 0x30004, 0x50006, 0x70008)},
        {"::ffff:192.0.2.1", IpAddress::v6(0, 0, 0xffff, 0xc0000201)},
        {"64:ff9b::192.0.2.33", IpAddress::v6(0x0064ff9b, 0, 0, 0xc0000221)},
    }};
    for (const auto& [text, address] : rows) {
        CAPTURE(text);
        REQUIRE(parse_address(text).has_value());
        CHECK(*parse_address(text) == address);
    }
    for (const char* text :
         {":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
          "1:2:3:4:5:6:7:8::", "12345::", "::g", "1:2:3:4:5:6:7:", ":1::2", "1.2.3.4::", "::1.2.3",
          "1:2:3:4:5:6:7:1.2.3.4", "::1%lo", "::1.2.3.4:5"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_address(text).has_value());
    }
}

TEST_CASE("IPv6 texts follow RFC 5952") {
    const std::array<std::pair<const char*, const char*>, 12> rows = {{
        {"2001:0DB8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"},  // 4.1, 4.2.1, 4.3
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},              // 4.2.2: one zero stays
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},                       // 4.2.3: the longest
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},                 // 4.2.3: the first
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"0:0:0:0:0:0:1:0", "::0.1.0.0"},  // as inet_ntop writes what IPv4 is compatible with
        {"0:1:0:0:0:0:0:0", "0:1::"},
        {"::ffff:c000:201", "::ffff:192.0.2.1"},  // 5
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"fe80:0:0:0:0:0:0:a", "fe80::a"},
    }};
    for (const auto& [text, expected] : rows) {
        CAPTURE(text);
        REQUIRE(parse_address(text).has_value());
        CHECK(to_string(*parse_address(text)) == expected);
    }
}

TEST_CASE("every text that is printed is read back as the same address") {
    for (std::uint32_t i = 0; i < 256; ++i) {
        // One bit of `i` per group: every pattern of zero and non-zero groups.
        IpAddress address = IpAddress::v6(0, 0, 0, 0);
        for (unsigned group = 0; group < 8; ++group) {
            const std::uint32_t value = (i >> group & 1) != 0 ? 0xa0 + group : 0;
            address.words[group / 2] |= value << (group % 2 == 0 ? 16 : 0);
        }
        CAPTURE(i);
        CHECK(parse_address(to_string(address)) == address);
        CHECK(parse_address(to_proc_string(address)) == address);
    }
}

TEST_CASE("the form of /proc is never compressed") {
    CHECK(to_proc_string(*parse_address("fd00::1")) == "fd00:0000:0000:0000:0000:0000:0000:0001");
    CHECK(to_proc_string(*parse_address("10.0.0.1")) == "10.0.0.1");
}

TEST_CASE("prefixes keep their host bits and know their network") {
    const auto prefix = parse_prefix("10.1.2.3/22");
    REQUIRE(prefix.has_value());
    CHECK(to_string(*prefix) == "10.1.2.3/22");
    CHECK(to_string(prefix->network()) == "10.1.0.0/22");
    CHECK(to_string(prefix->last()) == "10.1.3.255");
    CHECK(prefix->contains(IpAddress::v4(10, 1, 3, 255)));
    CHECK_FALSE(prefix->contains(IpAddress::v4(10, 1, 4, 0)));
    CHECK_FALSE(prefix->contains(*parse_address("::10.1.2.3")));
    CHECK(parse_prefix("0.0.0.0/0")->contains(IpAddress::v4(203, 0, 113, 7)));
    CHECK(parse_prefix("192.0.2.1")->length == 32);

    const auto six = parse_prefix("2001:db8:0:ff::1/50");
    REQUIRE(six.has_value());
    CHECK(to_string(six->network()) == "2001:db8::/50");
    CHECK(to_string(six->last()) == "2001:db8:0:3fff:ffff:ffff:ffff:ffff");
    CHECK(parse_prefix("::/0")->contains(*parse_address("fd00::1")));
    for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "fd00::/129",
                             "10.0.0.0/8/8", "/8", "10.0.0/8", "10.0.0.0/1e1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_prefix(text).has_value());
    }
}

TEST_CASE("prefixes overlap when one lies in the other") {
    const auto overlap = [](const char* a, const char* b) {
        return parse_prefix(a)->overlaps(*parse_prefix(b)) &&
               parse_prefix(b)->overlaps(*parse_prefix(a));
    };
    CHECK(overlap("10.0.0.0/8", "10.255.0.1/32"));
    CHECK(overlap("10.0.0.1/24", "10.0.0.2/24"));
    CHECK(overlap("fd00::/8", "fdff::1/128"));
    CHECK_FALSE(overlap("10.0.0.0/24", "10.0.1.0/24"));
    CHECK_FALSE(overlap("0.0.0.0/0", "::/0"));
}

TEST_CASE("addresses know what they are") {
    const auto is = [](const char* text) { return *parse_address(text); };
    CHECK(is("127.8.9.1").is_loopback());
    CHECK(is("::1").is_loopback());
    CHECK_FALSE(is("::2").is_loopback());
    CHECK(is("224.0.0.1").is_multicast());
    CHECK(is("239.255.255.255").is_multicast());
    CHECK_FALSE(is("240.0.0.1").is_multicast());
    CHECK(is("ff02::1").is_multicast());
    CHECK(is("169.254.3.4").is_link_local());
    CHECK(is("febf::1").is_link_local());
    CHECK_FALSE(is("fec0::1").is_link_local());
    CHECK(is("0.0.0.0").is_unspecified());
    CHECK(is("::").is_unspecified());
    CHECK_FALSE(is("::1").is_unspecified());
}

TEST_CASE("wire bytes and back") {
    std::array<std::uint8_t, 16> bytes{};
    const IpAddress six = *parse_address("2001:db8:1:2:3:4:5:6");
    six.to_wire(bytes.data());
    CHECK(bytes[0] == 0x20);
    CHECK(bytes[15] == 0x06);
    CHECK(IpAddress::from_wire(Family::Ipv6, bytes.data()) == six);
    CHECK(IpAddress::from_wire(Family::Ipv4, bytes.data()) == IpAddress::v4(0x20, 1, 0x0d, 0xb8));
}
