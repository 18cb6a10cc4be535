// For hashes that nobody outside can gain by guessing; others are keyed (siphash.hpp).
#pragma once

#include <cstdint>

namespace nsr {

// 2^64 / golden ratio: a product with it has every bit of the factor in its upper half. Knuth, The
// Art of Computer Programming 3, 6.4
inline constexpr std::uint64_t kGoldenMultiplier = 0x9e3779b97f4a7c15;

}  // namespace nsr
