// SipHash-1-3 by Aumasson and Bernstein: the keyed hash for every table an attacker can feed.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace nsr {

struct SipKey {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

// Hash of `count` 64-bit words.
constexpr std::uint64_t siphash13(SipKey key, const std::uint64_t* words, std::size_t count) {
    std::uint64_t v0 = 0x736f6d6570736575 ^ key.k0;
    std::uint64_t v1 = 0x646f72616e646f6d ^ key.k1;
    std::uint64_t v2 = 0x6c7967656e657261 ^ key.k0;
    std::uint64_t v3 = 0x7465646279746573 ^ key.k1;
    const auto round = [&] {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    };
    for (std::size_t i = 0; i < count; ++i) {
        v3 ^= words[i];
        round();
        v0 ^= words[i];
    }
    const std::uint64_t last = static_cast<std::uint64_t>(count * 8) << 56;
    v3 ^= last;
    round();
    v0 ^= last;
    v2 ^= 0xff;
    round();
    round();
    round();
    return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace nsr
