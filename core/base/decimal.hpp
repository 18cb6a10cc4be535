// Numbers as decimal text, for what is written by the million: std::to_chars counts the digits of
// each first.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nsr {

// The text of 0..255, copied as one word.
struct ShortDecimal {
    std::array<char, 4> text{};
    std::uint8_t length = 0;
};

constexpr std::array<ShortDecimal, 256> make_short_decimals() {
    std::array<ShortDecimal, 256> all{};
    for (unsigned value = 0; value < all.size(); ++value) {
        ShortDecimal& one = all[value];
        for (unsigned scale = 100; scale > 0; scale /= 10) {
            if (value >= scale || scale == 1) {
                one.text[one.length++] = static_cast<char>('0' + value / scale % 10);
            }
        }
    }
    return all;
}
inline constexpr std::array<ShortDecimal, 256> kShortDecimals = make_short_decimals();

// The text of 00..99.
constexpr std::array<std::array<char, 2>, 100> make_digit_pairs() {
    std::array<std::array<char, 2>, 100> all{};
    for (unsigned value = 0; value < all.size(); ++value) {
        all[value] = {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
    }
    return all;
}
inline constexpr std::array<std::array<char, 2>, 100> kDigitPairs = make_digit_pairs();

// All of these give where the text ends. Room: 4 bytes, 2, and 8 below kTwoPairs, else 20.
inline constexpr std::size_t kDecimalBytes = 20;

inline char* write_short_decimal(char* at, std::uint32_t below_256) {
    const ShortDecimal& one = kShortDecimals[below_256];
    std::memcpy(at, one.text.data(), one.text.size());
    return at + one.length;
}

inline char* write_digit_pair(char* at, std::uint32_t below_100) {
    std::memcpy(at, kDigitPairs[below_100].data(), 2);
    return at + 2;
}

inline char* write_decimal(char* at, std::uint64_t number) {
    constexpr std::uint64_t kOnePair = 256 * 100;
    constexpr std::uint64_t kTwoPairs = 256 * 10000;
    if (number >= kTwoPairs) {
        return std::to_chars(at, at + kDecimalBytes, number).ptr;
    }
    const auto small = static_cast<std::uint32_t>(number);
    if (small < 256) {
        return write_short_decimal(at, small);
    }
    if (small < kOnePair) {
        return write_digit_pair(write_short_decimal(at, small / 100), small % 100);
    }
    at = write_digit_pair(write_short_decimal(at, small / 10000), small / 100 % 100);
    return write_digit_pair(at, small % 100);
}

}  // namespace nsr
