// kept(): what takes long to fill is filled once and used by every benchmark of the same size.
//
// Theory of operation
//   A fill is named by its type, its number of flows and a variant. Those of up to a million flows
//   stay until the program ends. Of larger ones the last one stays, of whatever type: two of them
//   may be more than the machine has. Benchmarks leave a fill as they found it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace nsr::bench {

inline constexpr std::uint32_t kKeptFlows = 1'000'000;

inline std::shared_ptr<void>& large_one() {
    static std::shared_ptr<void> one;
    return one;
}

// `make` gives a std::unique_ptr<T>.
template <class T, class Make>
T& kept(std::uint32_t flows, unsigned variant, const Make& make) {
    static std::map<std::pair<std::uint32_t, unsigned>, std::shared_ptr<T>> small;
    static std::map<std::pair<std::uint32_t, unsigned>, std::weak_ptr<T>> large;
    const auto what = std::pair(flows, variant);
    if (flows <= kKeptFlows) {
        std::shared_ptr<T>& one = small[what];
        if (!one) {
            one = make();
        }
        return *one;
    }
    std::shared_ptr<T> one = large[what].lock();
    if (!one) {
        large_one().reset();
        one = make();
        large[what] = one;
        large_one() = one;
    }
    return *one;
}

}  // namespace nsr::bench
