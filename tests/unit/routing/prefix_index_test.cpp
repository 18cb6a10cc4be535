#include "core/routing/prefix_index.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "core/base/random.hpp"

using namespace nsr;
using routing::PrefixIndex;

namespace {

Prefix prefix(const char* text) {
    return *parse_prefix(text);
}

IpAddress address(const char* text) {
    return *parse_address(text);
}

// What the index must equal: look at every prefix, keep the longest.
std::optional<std::uint32_t> longest_naively(const std::vector<Prefix>& all,
                                             const IpAddress& wanted) {
    std::optional<std::uint32_t> best;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
        if (all[i].contains(wanted) && (!best || all[i].length > all[*best].length)) {
            best = i;
        }
    }
    return best;
}

}  // namespace

TEST_CASE("an empty index contains nothing") {
    const PrefixIndex index;
    CHECK_FALSE(index.longest(address("192.0.2.1")));
    CHECK_FALSE(index.longest(address("2001:db8::1")));
}

TEST_CASE("the longest prefix wins, in whatever order they came") {
    PrefixIndex index;
    CHECK(index.insert(prefix("0.0.0.0/0"), 1));
    CHECK(index.insert(prefix("192.0.2.0/24"), 2));
    CHECK(index.insert(prefix("192.0.2.7/32"), 3));
    CHECK(index.insert(prefix("192.0.0.0/16"), 4));
    CHECK(index.longest(address("192.0.2.7")) == 3u);
    CHECK(index.longest(address("192.0.2.8")) == 2u);
    CHECK(index.longest(address("192.0.3.8")) == 4u);
    CHECK(index.longest(address("203.0.113.1")) == 1u);
}

TEST_CASE("a prefix keeps its first value, and host bits do not make it another prefix") {
    PrefixIndex index;
    CHECK(index.insert(prefix("192.0.2.0/24"), 1));
    CHECK_FALSE(index.insert(prefix("192.0.2.99/24"), 2));
    CHECK(index.longest(address("192.0.2.5")) == 1u);
    CHECK(index.size() == 1);
}

TEST_CASE("families do not see each other") {
    PrefixIndex index;
    index.insert(prefix("::/0"), 1);
    CHECK_FALSE(index.longest(address("0.0.0.0")));
    index.insert(prefix("0.0.0.0/0"), 2);
    CHECK(index.longest(address("::")) == 1u);
    CHECK(index.longest(address("0.0.0.0")) == 2u);
}

TEST_CASE("thousands of random prefixes are found as a naive search finds them") {
    RandomSource random(7);
    PrefixIndex index;
    std::vector<Prefix> all;
    for (int i = 0; i < 3000; ++i) {
        const bool v4 = random.below(2) == 0;
        const std::uint32_t a = 0x0a000000 | (random.next32() & 0x00ffffff);
        const auto length = static_cast<std::uint8_t>(8 + random.below(v4 ? 25 : 121));
        const Prefix each{v4 ? IpAddress::v4(a) : IpAddress::v6(a, random.next32(), 0, a), length};
        if (index.insert(each, static_cast<std::uint32_t>(all.size()))) {
            all.push_back(each);
        }
    }
    REQUIRE(all.size() > 2000);
    for (int i = 0; i < 2000; ++i) {
        const Prefix& near = all[random.below(static_cast<std::uint32_t>(all.size()))];
        IpAddress wanted = near.address;
        wanted.words[wanted.is_v4() ? 0 : 3] ^= random.next32() & 0xff;
        CHECK(index.longest(wanted) == longest_naively(all, wanted));
    }
}
