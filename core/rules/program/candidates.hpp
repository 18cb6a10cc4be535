// Candidates: the rows that an index found in several lists, as one list in the order of the block.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/rules/program/index.hpp"

namespace nsr::rules {

class Candidates {
  public:
    static constexpr std::uint32_t kNone = 0xffffffff;

    // From row `from` on.
    void look_up(const BlockIndex& index, const PacketKey& key, std::uint32_t from) {
        count_ = index.find(key, lists_);
        for (std::size_t i = 0; i < count_;) {
            BlockIndex::Rows& rows = lists_[i];
            const auto at = std::lower_bound(rows.begin(), rows.end(), from);
            rows = rows.subspan(static_cast<std::size_t>(at - rows.begin()));
            i = keep_or_drop(i);
        }
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
        lists_[first] = lists_[first].subspan(1);
        keep_or_drop(first);
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
    std::size_t count_ = 0;
};

}  // namespace nsr::rules
