// Candidates: the rows that an index found in several lists, as one list in the order of the block.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rules/program/index.hpp"

namespace nsr::rules {

class Candidates {
  public:
    static constexpr std::uint32_t kNone = 0xffffffff;

    // From row `from` on. Returns how many looks it took among sets.
    std::size_t look_up(const BlockIndex& index, const PacketKey& key, const HeldBySets& held,
                        std::uint32_t from) {
        count_ = index.find(key, lists_);
        std::size_t looks = 0;
        if (index.asks_sets()) {
            looks = index.find_by_sets(held, by_sets_);
            lists_[count_] = by_sets_;
            count_ += by_sets_.empty() ? 0 : 1;
        }
        for (std::size_t i = 0; i < count_;) {
            BlockIndex::Rows& rows = lists_[i];
            const auto at = std::lower_bound(rows.begin(), rows.end(), from);
            rows = rows.subspan(static_cast<std::size_t>(at - rows.begin()));
            i = keep_or_drop(i);
        }
        return looks;
    }
    std::uint32_t next() {
        if (count_ == 0) {
            return kNone;
        }
        std::size_t first = 0;
        for (std::size_t i = 1; i < count_; ++i) {
            first = lists_[i].front() < lists_[first].front() ? i : first;
        }
        const std::uint32_t row = lists_[first].front();
        for (std::size_t i = 0; i < count_;) {
            BlockIndex::Rows& rows = lists_[i];
            rows = rows.subspan(rows.front() == row ? 1 : 0);
            i = keep_or_drop(i);
        }
        return row;
    }

  private:
    // The next list to look at: a list that has come to its end gives its place to the last one.
    std::size_t keep_or_drop(std::size_t list) {
        if (!lists_[list].empty()) {
            return list + 1;
        }
        lists_[list] = lists_[--count_];
        return list;
    }

    std::array<BlockIndex::Rows, BlockIndex::kMostLists> lists_;
    std::vector<std::uint16_t> by_sets_;
    std::size_t count_ = 0;
};

}  // namespace nsr::rules
