#include "core/wire/checksum.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace nsr::wire {

namespace {

constexpr std::uint16_t swap_if_little(std::uint16_t value) {
    if constexpr (std::endian::native == std::endian::little) {
        return static_cast<std::uint16_t>(value << 8 | value >> 8);
    }
    return value;
}

// Slicing by eight: tables[k][b] is the effect of byte b, k bytes before the end of the block.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
    constexpr std::uint32_t kReflectedPolynomial = 0x82f63b78;
    CrcTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ kReflectedPolynomial : crc >> 1;
        }
        tables[0][byte] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t previous = tables[k - 1][byte];
            tables[k][byte] = previous >> 8 ^ tables[0][previous & 0xff];
        }
    }
    return tables;
}

constexpr CrcTables kCrcTables = make_crc_tables();

// Sums of the halves of 64-bit words, which cannot overflow below 2^35 bytes and which compilers
// turn into vector code.
struct Halves {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};

inline Halves add_words(const std::uint8_t* p, std::size_t words) {
    Halves sums;
    for (; words != 0; --words, p += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, p, 8);
        sums.low += word & 0xffffffff;
        sums.high += word >> 32;
    }
    return sums;
}

// With vectors twice as wide where the processor has them, chosen when the program is loaded.
#if defined(__x86_64__) && !defined(__clang__)
[[gnu::target_clones("avx2", "default")]]
#endif
Halves
add_many_words(const std::uint8_t* p, std::size_t words) {
    return add_words(p, words);
}

constexpr std::size_t kManyWords = 32;

template <class Word>
std::uint64_t take(const std::uint8_t*& p) {
    Word word = 0;
    std::memcpy(&word, p, sizeof word);
    p += sizeof word;
    return word;
}

}  // namespace

// The one's complement sum does not care about byte order (RFC 1071 2 B), so it is taken over
// native words and swapped once.
std::uint16_t sum(ConstBytes bytes, std::uint32_t initial) {
    const std::size_t words = bytes.size() / 8;
    const std::uint8_t* p = bytes.data() + words * 8;
    const Halves sums =
        words < kManyWords ? add_words(bytes.data(), words) : add_many_words(bytes.data(), words);
    std::uint64_t rest = 0;
    if ((bytes.size() & 4) != 0) {
        rest += take<std::uint32_t>(p);
    }
    if ((bytes.size() & 2) != 0) {
        rest += take<std::uint16_t>(p);
    }
    if ((bytes.size() & 1) != 0) {
        rest += swap_if_little(static_cast<std::uint16_t>(*p << 8));
    }
    const std::uint64_t total = std::uint64_t{fold(sums.low)} + fold(sums.high) + rest;
    return fold(std::uint64_t{swap_if_little(fold(total))} + initial);
}

// Nearly every header has five words and no more. All ones are so in either byte order.
bool ipv4_header_right(ConstBytes header) {
    constexpr std::size_t kFixedWords = 5;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < kFixedWords; ++i) {
        std::uint32_t word = 0;
        std::memcpy(&word, header.data() + 4 * i, 4);
        total += word;
    }
    const ConstBytes options = header.subspan(4 * kFixedWords);
    if (!options.empty()) {
        total += swap_if_little(sum(options));
    }
    return fold(total) == 0xffff;
}

std::uint16_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length) {
    std::uint64_t total = std::uint64_t{protocol} + length;
    for (unsigned i = 0; i < 4; ++i) {
        total += source.words[i];
        total += destination.words[i];
    }
    return fold(total);
}

std::uint32_t crc32c(ConstBytes bytes, std::uint32_t before) {
    std::uint32_t crc = ~before;
    const std::uint8_t* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, p += 8) {
        crc ^= static_cast<std::uint32_t>(p[0]) | static_cast<std::uint32_t>(p[1]) << 8 |
               static_cast<std::uint32_t>(p[2]) << 16 | static_cast<std::uint32_t>(p[3]) << 24;
        crc = kCrcTables[7][crc & 0xff] ^ kCrcTables[6][crc >> 8 & 0xff] ^
              kCrcTables[5][crc >> 16 & 0xff] ^ kCrcTables[4][crc >> 24] ^ kCrcTables[3][p[4]] ^
              kCrcTables[2][p[5]] ^ kCrcTables[1][p[6]] ^ kCrcTables[0][p[7]];
    }
    for (; left != 0; --left, ++p) {
        crc = crc >> 8 ^ kCrcTables[0][(crc ^ *p) & 0xff];
    }
    return ~crc;
}

}  // namespace nsr::wire
