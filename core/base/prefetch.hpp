// prefetch(): has a line of memory on its way before somebody needs it.
//
// By a load that nobody waits for. A prefetch instruction may be given up, where many are asked for
// at once or where the TLB does not know their page; of loads a processor has as many on their way
// as it can, and goes on behind them. So those of a batch are to be asked for by a loop that does
// little else.
#pragma once

#include <cstdint>

namespace nsr {

// Precondition: there is memory at `at`.
inline void prefetch(const void* at) {
    asm volatile("" ::"r"(*static_cast<const volatile std::uint8_t*>(at)));
}

}  // namespace nsr
