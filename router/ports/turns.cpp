#include "router/ports/turns.hpp"

namespace nsr::router {

std::uint64_t TurnHistogram::longer_than(std::size_t bound) const {
    std::uint64_t longer = 0;
    for (std::size_t bucket = bound + 1; bucket < kBuckets; ++bucket) {
        longer += buckets_[bucket];
    }
    return longer;
}

WatchedTurn::~WatchedTurn() {
    cpu_.add(thread_time() - cpu_begin_);
    time_.add(clock_.now() - begin_);
}

}  // namespace nsr::router
