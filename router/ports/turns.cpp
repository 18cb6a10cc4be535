#include "router/ports/turns.hpp"

namespace nsr::router {

std::uint64_t TurnHistogram::longer_than(std::size_t bound) const {
    std::uint64_t longer = 0;
    for (std::size_t bucket = bound + 1; bucket < kBuckets; ++bucket) {
        longer += buckets_[bucket];
    }
    return longer;
}

ControlTurn::~ControlTurn() {
    turns_.control_cpu.add(thread_time() - cpu_begin_);
    turns_.control.add(clock_.now() - begin_);
}

}  // namespace nsr::router
