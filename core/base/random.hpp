// Randomness is injected: seeded and repeatable in replay and tests, seeded by the kernel in a
// running router.
#pragma once

#include <cstdint>

namespace nsr {

// xoshiro256** by Blackman and Vigna (public domain algorithm). A plain value: copying it forks the
// sequence, which is what `explain` and snapshots need. Not for secrets: whoever sees enough of
// what it gives can tell the rest. So hash keys, which nobody may guess, come from a source of
// their own.
class RandomSource {
  public:
    explicit RandomSource(std::uint64_t seed);

    std::uint64_t next64();
    std::uint32_t next32() { return static_cast<std::uint32_t>(next64() >> 32); }
    // Uniform in [0, bound). Precondition: bound > 0. kernel: get_random_u32_below
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>((static_cast<std::uint64_t>(next32()) * bound) >> 32);
    }

  private:
    std::uint64_t state_[4];
};

}  // namespace nsr
