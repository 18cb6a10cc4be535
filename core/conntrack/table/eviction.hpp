// Eviction: which connection to give up when the table is full.
//
// Theory of operation
//   A hand goes round the arena, a bounded number of records per sweep, and keeps the best few
//   that may be evicted; they are given out best first, each looked at again before, until none
//   is left and the next sweep goes on where the last one stopped. Once a whole round found
//   nothing, only records confirmed since can be candidates: those are remembered as they come, so
//   that a full table of ASSURED connections refuses a flood without searching.
// kernel: early_drop (which looks at 8 buckets from a random one on). differs: early-drop-search
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/conntrack/table/arena.hpp"

namespace nsr::conntrack {

class Eviction {
  public:
    // `records` must outlive this.
    explicit Eviction(const Arena<Connection>& records) : records_(records) {}

    std::optional<std::uint32_t> choose(Jiffies now);
    // A record was confirmed.
    void confirmed(std::uint32_t number);

  private:
    struct Candidate {
        bool replied;
        std::int32_t left;
        std::uint32_t number;
    };

    [[nodiscard]] bool evictable(std::uint32_t number) const;
    std::optional<std::uint32_t> take_best();
    void sweep(Jiffies now);

    const Arena<Connection>& records_;
    std::vector<Candidate> candidates_;  // best last
    std::uint32_t hand_ = 0;
    std::uint64_t barren_ = 0;  // records before the hand of which none but candidates_ will do
};

}  // namespace nsr::conntrack
