// An address as two words, as keyed hashes take it.
#pragma once

#include <cstdint>

#include "core/wire/address.hpp"

namespace nsr {

constexpr std::uint64_t high(const IpAddress& address) {
    return std::uint64_t{address.words[0]} << 32 | address.words[1];
}

constexpr std::uint64_t low(const IpAddress& address) {
    return std::uint64_t{address.words[2]} << 32 | address.words[3];
}

}  // namespace nsr
