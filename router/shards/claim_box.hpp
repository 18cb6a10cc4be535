// ClaimBox: the claims that one shard has for another, in their order. They may not be lost, and
// are few: a lock, which is hardly ever waited for, and as much room as it takes.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "core/conntrack/record/tuple.hpp"

namespace nsr::router {

class ClaimBox {
  public:
    struct Claim {
        conntrack::Tuple tuple;
        bool holds = false;
    };

    void put(const Claim& claim) {
        const std::lock_guard lock(mutex_);
        claims_.push_back(claim);
        any_.store(true, std::memory_order_release);
    }

    [[nodiscard]] bool empty() const { return !any_.load(std::memory_order_acquire); }
    // All that there are.
    std::vector<Claim> take() {
        const std::lock_guard lock(mutex_);
        any_.store(false, std::memory_order_release);
        return std::exchange(claims_, {});
    }

  private:
    std::mutex mutex_;
    std::vector<Claim> claims_;
    std::atomic<bool> any_ = false;
};

}  // namespace nsr::router
