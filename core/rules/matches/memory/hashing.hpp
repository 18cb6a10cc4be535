// The hash of addresses and the like for KeyedTable, under the router's secret key.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/siphash.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

// Of two addresses (or one twice) and 64 more bits.
inline std::uint32_t hash_of(const SipKey& key, const IpAddress& a, const IpAddress& b,
                             std::uint64_t more) {
    const auto pair = [](const IpAddress& address, std::size_t at) {
        return std::uint64_t{address.words[at]} << 32 | address.words[at + 1];
    };
    const std::array<std::uint64_t, 5> words = {pair(a, 0), pair(a, 2), pair(b, 0), pair(b, 2),
                                                more};
    return static_cast<std::uint32_t>(siphash13(key, words.data(), words.size()));
}

}  // namespace nsr::rules
