// prefetch(): has a line of memory on its way before somebody needs it.
//
// By a load that nobody waits for. A prefetch instruction may be given up, where many are asked for
// at once or where the TLB does not know their page; of loads a processor has as many on their way
// as it can, and goes on behind them. So those of a batch are gathered first (PrefetchList), and
// asked for by a loop that does nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nsr {

// Precondition: there is memory at `at`.
inline void prefetch(const void* at) {
    asm volatile("" ::"r"(*static_cast<const volatile std::uint8_t*>(at)));
}

// Lines to be asked for together: a processor sees only so many instructions ahead, so that of
// lines between which there is work, few would be on their way at a time.
class PrefetchList {
  public:
    // More than that are asked for in several goes.
    static constexpr std::size_t kMost = 128;  // 64 records of two lines each

    void add(const void* line) {
        if (count_ == kMost) {
            prefetch();
        }
        lines_[count_++] = line;
    }
    // Asks for those added since the last time.
    void prefetch() {
        for (std::size_t i = 0; i < count_; ++i) {
            nsr::prefetch(lines_[i]);
        }
        count_ = 0;
    }

  private:
    std::array<const void*, kMost> lines_;  // the first count_ of them
    std::size_t count_ = 0;
};

}  // namespace nsr
