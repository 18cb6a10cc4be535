// Other addresses: one for each, as near to each other as the real ones, and none of those that
// mean something.
#include "router/bundle/anonymizer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace nsr::router {
namespace {

constexpr SipKey kKey{0x0123456789abcdef, 0xfedcba9876543210};

IpAddress at(const std::string& text) {
    const auto address = parse_address(text);
    REQUIRE(address.has_value());
    return *address;
}

unsigned shared(const std::string& a, const std::string& b) {
    return common_prefix(at(a), at(b)).length;
}

}  // namespace

TEST_CASE("anonymizer: addresses share as many bits as the real ones") {
    const Anonymizer anonymizer(kKey);
    const std::vector<std::string> real = {"10.0.0.1",     "10.0.0.2",
                                           "10.0.1.1",     "10.9.0.1",
                                           "192.0.2.1",    "192.0.3.255",
                                           "198.51.100.7", "172.16.0.1",
                                           "2001:db8::1",  "2001:db8::2",
                                           "2001:db8:1::", "fd00:1::1",
                                           "fd00:2::1",    "2001:db8:ffff::abcd",
                                           "fe80::1",      "fe80::2"};
    bool changed = false;
    for (const std::string& a : real) {
        for (const std::string& b : real) {
            if (at(a).family != at(b).family) {
                continue;
            }
            CAPTURE(a);
            CAPTURE(b);
            const std::string other_a = to_string(anonymizer.address(at(a)));
            const std::string other_b = to_string(anonymizer.address(at(b)));
            CHECK(shared(a, b) == shared(other_a, other_b));
        }
        changed = changed || anonymizer.address(at(a)) != at(a);
    }
    CHECK(changed);
}

TEST_CASE("anonymizer: another key, other addresses; the same key, the same ones") {
    CHECK(Anonymizer(kKey).address(at("10.1.2.3")) == Anonymizer(kKey).address(at("10.1.2.3")));
    std::set<std::string> seen;
    for (std::uint64_t k = 0; k < 16; ++k) {
        seen.insert(to_string(Anonymizer(SipKey{k, 1}).address(at("198.51.100.7"))));
    }
    CHECK(seen.size() == 16);
}

TEST_CASE("anonymizer: what means something stays, and nothing else becomes it") {
    for (std::uint64_t k = 0; k < 64; ++k) {
        const Anonymizer anonymizer(SipKey{k, k});
        for (const char* kept :
             {"0.0.0.0", "127.0.0.1", "127.1.2.3", "224.0.0.1", "239.255.255.250",
              "255.255.255.255", "255.255.255.0", "::", "::1", "ff02::1", "ff05::2"}) {
            CAPTURE(kept);
            CHECK(to_string(anonymizer.address(at(kept))) == kept);
        }
        CHECK(anonymizer.address(at("169.254.3.4")).is_link_local());
        CHECK(anonymizer.address(at("fe80::1234")).is_link_local());
        CHECK(parse_prefix("2000::/3")->contains(anonymizer.address(at("2001:db8::1"))));
        CHECK(parse_prefix("fc00::/7")->contains(anonymizer.address(at("fd00:1::1"))));
        for (const char* real : {"10.0.0.1", "126.0.0.1", "128.0.0.1", "223.255.255.255",
                                 "169.253.0.1", "1.0.0.1", "fec0::1", "2001:db8::1"}) {
            CAPTURE(real);
            const IpAddress other = anonymizer.address(at(real));
            CHECK_FALSE(other.is_loopback());
            CHECK_FALSE(other.is_multicast());
            CHECK_FALSE(other.is_link_local());
            CHECK_FALSE(other.is_unspecified());
        }
    }
}

TEST_CASE("anonymizer: the ends of a network are the ends of the other one, and no host is") {
    for (const char* text : {"10.0.1.1/24", "192.0.2.1/30", "172.16.0.9/29", "10.1.0.1/16"}) {
        const Prefix real = *parse_prefix(text);
        for (std::uint64_t k = 0; k < 16; ++k) {
            Anonymizer anonymizer(SipKey{k, 7});
            anonymizer.keep_ends(real);
            const Prefix other = anonymizer.prefix(real);
            CHECK(anonymizer.address(real.network().address) == other.network().address);
            CHECK(anonymizer.address(real.last()) == other.last());
            CHECK(anonymizer.prefix(real.network()) == other.network());
            std::set<std::uint32_t> seen;
            for (std::uint32_t host = 0; host < 8 && host < 1u << (32 - real.length); ++host) {
                seen.insert(anonymizer.address(IpAddress::v4(real.network().address.as_v4() + host))
                                .as_v4());
            }
            CHECK(seen.size() == (real.length == 30 ? 4 : 8));
        }
    }
}

TEST_CASE("anonymizer: below a prefix that is kept, order stays") {
    Anonymizer anonymizer(kKey);
    anonymizer.keep_below(common_prefix(at("10.0.0.3"), at("10.0.0.9")));
    const std::uint32_t first = anonymizer.address(at("10.0.0.3")).as_v4();
    for (std::uint32_t i = 0; i < 7; ++i) {
        CHECK(anonymizer.address(IpAddress::v4(at("10.0.0.3").as_v4() + i)).as_v4() == first + i);
    }
}

TEST_CASE("anonymizer: an IPv4 address inside an IPv6 one is that IPv4 address") {
    const Anonymizer anonymizer(kKey);
    CHECK(to_string(anonymizer.address(at("::ffff:198.51.100.7"))) ==
          to_string(IpAddress::v6(0, 0, 0xffff, anonymizer.address(at("198.51.100.7")).as_v4())));
}

}  // namespace nsr::router
