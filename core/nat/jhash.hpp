// The kernel's hash of 32-bit words (Bob Jenkins' lookup3, public domain), without a key. NAT
// chooses addresses from a pool with it, rules choose marks and nodes, and the choice must be the
// kernel's.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace nsr::nat {

namespace jhash {

inline constexpr std::uint32_t kInitial = 0xdeadbeef;

struct Words {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
};

// kernel: __jhash_final
constexpr std::uint32_t finish(Words w) {
    const auto step = [](std::uint32_t& x, std::uint32_t y, int bits) {
        x = (x ^ y) - std::rotl(y, bits);
    };
    step(w.c, w.b, 14);
    step(w.a, w.c, 11);
    step(w.b, w.a, 25);
    step(w.c, w.b, 16);
    step(w.a, w.c, 4);
    step(w.b, w.a, 14);
    step(w.c, w.b, 24);
    return w.c;
}

}  // namespace jhash

// `count` of three words, the others 0. kernel: jhash_1word, jhash_2words, jhash_3words
constexpr std::uint32_t jhash_words(jhash::Words words, std::uint32_t count, std::uint32_t seed) {
    const std::uint32_t initial =
        jhash::kInitial + count * static_cast<std::uint32_t>(sizeof(std::uint32_t)) + seed;
    return jhash::finish({words.a + initial, words.b + initial, words.c + initial});
}

// kernel: jhash2 of four words
constexpr std::uint32_t jhash2(const std::array<std::uint32_t, 4>& words, std::uint32_t seed) {
    constexpr std::uint32_t kBytes = 4 * sizeof(std::uint32_t);
    std::uint32_t a = jhash::kInitial + kBytes + seed + words[0];
    std::uint32_t b = jhash::kInitial + kBytes + seed + words[1];
    std::uint32_t c = jhash::kInitial + kBytes + seed + words[2];
    const auto mix = [](std::uint32_t& x, std::uint32_t& y, std::uint32_t& z, int bits) {
        x = (x - z) ^ std::rotl(z, bits);
        z += y;
    };
    mix(a, b, c, 4);
    mix(b, c, a, 6);
    mix(c, a, b, 8);
    mix(a, b, c, 16);
    mix(b, c, a, 19);
    mix(c, a, b, 4);
    return jhash::finish({a + words[3], b, c});
}

}  // namespace nsr::nat
