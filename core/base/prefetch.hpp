// prefetch(): has a line of memory on its way before somebody needs it.
//
// By a load that nobody waits for. A prefetch instruction may be given up, where many are asked for
// at once or where the TLB does not know their page; of loads a processor has as many on their way
// as it can, and goes on behind them. So those of a batch are to be asked for by a loop that does
// little else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nsr {

// Precondition: there is memory at `at`.
inline void prefetch(const void* at) {
    asm volatile("" ::"r"(*static_cast<const volatile std::uint8_t*>(at)));
}

// Lines that are to be asked for together.
class PrefetchList {
  public:
    void add(const void* line) {
        if (count_ == lines_.size()) {
            prefetch();
        }
        lines_[count_++] = line;
    }
    // Those added since the last time.
    void prefetch() {
        for (std::size_t i = 0; i < count_; ++i) {
            nsr::prefetch(lines_[i]);
        }
        count_ = 0;
    }

  private:
    std::array<const void*, 128> lines_;
    std::size_t count_ = 0;
};

}  // namespace nsr
