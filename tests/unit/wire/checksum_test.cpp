#include "core/wire/checksum.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

#include "core/base/random.hpp"

using namespace nsr;
using namespace nsr::wire;

namespace {

// RFC 1071 4.1, word by word.
std::uint16_t naive_sum(ConstBytes bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
        sum += static_cast<std::uint32_t>(bytes[i]) << 8 | low;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(sum);
}

std::vector<std::uint8_t> noise(std::size_t length, std::uint64_t seed) {
    RandomSource random(seed);
    std::vector<std::uint8_t> bytes(length);
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(random.next32());
    }
    return bytes;
}

ConstBytes text(std::string_view s) {
    return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

}  // namespace

TEST_CASE("the fast sum is the naive sum, for every length and alignment") {
    const std::vector<std::uint8_t> bytes = noise(9001 + 8, 1);
    for (std::size_t length = 0; length <= 9001; ++length) {
        const std::size_t alignment = length % 8;
        const ConstBytes part = ConstBytes(bytes).subspan(alignment, length);
        REQUIRE_MESSAGE(sum(part) == naive_sum(part), "length " << length);
    }
    for (std::size_t alignment = 0; alignment < 8; ++alignment) {
        for (std::size_t length = 0; length < 130; ++length) {
            const ConstBytes part = ConstBytes(bytes).subspan(alignment, length);
            REQUIRE(sum(part) == naive_sum(part));
        }
    }
}

TEST_CASE("the longest packet of ones does not overflow the sum") {
    const std::vector<std::uint8_t> ones(65575, 0xff);
    CHECK(sum(ones) == naive_sum(ones));
    CHECK(sum(ones, 0xffffffff) == naive_sum(ones));
    CHECK(fold(0xffffffffffffffff) == 0xffff);
    CHECK(fold(0) == 0);
}

TEST_CASE("the sum of nothing is zero, of something never, whatever its bytes") {
    CHECK(sum({}) == 0);
    const std::vector<std::uint8_t> zeros(100, 0);
    CHECK(sum(zeros) == 0);
    const std::vector<std::uint8_t> cancels = {0x12, 0x34, 0xed, 0xcb};
    CHECK(sum(cancels) == 0xffff);
}

TEST_CASE("a message that holds its own checksum sums up to ones") {
    // RFC 1071 3
    const std::vector<std::uint8_t> bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    CHECK(sum(bytes) == 0xddf2);
    CHECK(checksum(bytes) == 0x220d);
}

TEST_CASE("an incremental update equals a full computation, up to the sign of zero") {
    RandomSource random(7);
    std::vector<std::uint8_t> bytes = noise(40, 3);
    for (int round = 0; round < 5000; ++round) {
        const std::size_t at = 2 * random.below(20);
        const std::uint16_t before = checksum(bytes);
        const std::uint16_t from = load16(&bytes[at]);
        const auto to = static_cast<std::uint16_t>(random.next32());
        store16(&bytes[at], to);
        const std::uint16_t full = checksum(bytes);
        const std::uint16_t updated = update16(before, from, to);
        REQUIRE((updated == full || (updated % 0xffff == 0 && full % 0xffff == 0)));
    }
}

TEST_CASE("RFC 1624 4: the example that other equations get wrong") {
    CHECK(update16(0xdd2f, 0x5555, 0x3285) == 0x0000);
}

TEST_CASE("the pseudo header is summed as it would lie in memory") {
    const IpAddress source = IpAddress::v4(192, 0, 2, 1);
    const IpAddress destination = IpAddress::v4(198, 51, 100, 200);
    std::vector<std::uint8_t> header(12, 0);
    source.to_wire(&header[0]);
    destination.to_wire(&header[4]);
    header[9] = 17;
    store16(&header[10], 1234);
    CHECK(pseudo_header_sum(source, destination, 17, 1234) == naive_sum(header));

    const IpAddress from = *parse_address("2001:db8::1:ffff");
    const IpAddress to = *parse_address("fd00:1234::42");
    std::vector<std::uint8_t> header6(40, 0);
    from.to_wire(&header6[0]);
    to.to_wire(&header6[16]);
    store32(&header6[32], 70000);
    header6[39] = 58;
    CHECK(pseudo_header_sum(from, to, 58, 70000) == naive_sum(header6));
}

TEST_CASE("CRC32c: the vectors of RFC 3720 B.4 and the check value") {
    CHECK(crc32c(text("123456789")) == 0xe3069283);
    CHECK(crc32c(std::vector<std::uint8_t>(32, 0x00)) == 0x8a9136aa);
    CHECK(crc32c(std::vector<std::uint8_t>(32, 0xff)) == 0x62a8ab43);
    std::vector<std::uint8_t> rising(32);
    std::vector<std::uint8_t> falling(32);
    for (std::size_t i = 0; i < 32; ++i) {
        rising[i] = static_cast<std::uint8_t>(i);
        falling[i] = static_cast<std::uint8_t>(31 - i);
    }
    CHECK(crc32c(rising) == 0x46dd794e);
    CHECK(crc32c(falling) == 0x113fdb5c);
    CHECK(crc32c({}) == 0);
}

TEST_CASE("CRC32c by eight bytes is CRC32c by bits") {
    const std::vector<std::uint8_t> bytes = noise(80, 11);
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        std::uint32_t crc = 0xffffffff;
        for (std::size_t i = 0; i < length; ++i) {
            crc ^= bytes[i];
            for (int bit = 0; bit < 8; ++bit) {
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
            }
        }
        REQUIRE(crc32c(ConstBytes(bytes).first(length)) == static_cast<std::uint32_t>(~crc));
    }
}

TEST_CASE("an IPv4 header is right if its sum is all ones, with options and without") {
    for (std::size_t length = 20; length <= 60; length += 4) {
        for (std::uint64_t seed = 1; seed <= 50; ++seed) {
            std::vector<std::uint8_t> header = noise(length, seed);
            REQUIRE(ipv4_header_right(header) == (naive_sum(header) == 0xffff));
            store16(&header[10], 0);
            store16(&header[10], static_cast<std::uint16_t>(~naive_sum(header)));
            REQUIRE(ipv4_header_right(header));
            const std::size_t bit = seed * 7 % (length * 8);
            header[bit / 8] = static_cast<std::uint8_t>(header[bit / 8] ^ (1u << bit % 8));
            REQUIRE_FALSE(ipv4_header_right(header));
        }
    }
}
