// Sums of counters.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace nsr {

// Of counters that have nothing but numbers of 64 bits.
template <class Counters>
void add_counters(Counters& sum, const Counters& more) {
    static_assert(std::is_trivially_copyable_v<Counters> && sizeof(Counters) % 8 == 0);
    using Words = std::array<std::uint64_t, sizeof(Counters) / 8>;
    Words words = std::bit_cast<Words>(sum);
    const Words added = std::bit_cast<Words>(more);
    for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] += added[i];
    }
    sum = std::bit_cast<Counters>(words);
}

}  // namespace nsr
