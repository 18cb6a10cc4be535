// jhash2: the kernel's hash of 32-bit words (Bob Jenkins' lookup3, public domain), without a key.
// NAT chooses addresses from a pool with it, and the choice must be the kernel's.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace nsr::nat {

// kernel: jhash2 of four words
constexpr std::uint32_t jhash2(const std::array<std::uint32_t, 4>& words, std::uint32_t seed) {
    constexpr std::uint32_t kInitial = 0xdeadbeef;
    constexpr std::uint32_t kBytes = 4 * sizeof(std::uint32_t);
    std::uint32_t a = kInitial + kBytes + seed + words[0];
    std::uint32_t b = kInitial + kBytes + seed + words[1];
    std::uint32_t c = kInitial + kBytes + seed + words[2];
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
    a += words[3];
    const auto finish = [](std::uint32_t& x, std::uint32_t y, int bits) {
        x = (x ^ y) - std::rotl(y, bits);
    };
    finish(c, b, 14);
    finish(a, c, 11);
    finish(b, a, 25);
    finish(c, b, 16);
    finish(a, c, 4);
    finish(b, a, 14);
    finish(c, b, 24);
    return c;
}

}  // namespace nsr::nat
