#include "core/conntrack/table/eviction.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace nsr::conntrack {
namespace {

constexpr std::uint32_t kSweep = 2048;
constexpr std::size_t kKept = 64;
constexpr std::uint32_t kSmall = 256;  // so few records are looked at afresh each time

}  // namespace

std::optional<std::uint32_t> Eviction::choose(Jiffies now) {
    if (records_.end() <= kSmall) {
        candidates_.clear();
    }
    std::optional<std::uint32_t> best = take_best();
    if (!best && barren_ < records_.end()) {
        sweep(now);
        best = take_best();
    }
    return best;
}

void Eviction::confirmed(std::uint32_t number) {
    if (barren_ == 0) {
        return;
    }
    if (records_.end() > kSmall && candidates_.size() < kKept) {
        candidates_.insert(candidates_.begin(), {false, 0, number});
    } else {
        barren_ = 0;
    }
}

std::optional<std::uint32_t> Eviction::take_best() {
    while (!candidates_.empty()) {
        const std::uint32_t number = candidates_.back().number;
        candidates_.pop_back();
        if (evictable(number)) {
            return number;
        }
    }
    return std::nullopt;
}

bool Eviction::evictable(std::uint32_t number) const {
    return number < records_.end() && records_[number].commit != 0 &&
           !records_[number].has_any(status::kAssured | status::kDying);
}

void Eviction::sweep(Jiffies now) {
    const std::uint32_t count = std::min(kSweep, records_.end());
    for (std::uint32_t i = 0; i < count; ++i) {
        hand_ = hand_ < records_.end() ? hand_ : 0;
        const Connection& record = records_[hand_];
        if (evictable(hand_)) {
            candidates_.push_back(
                {record.has(status::kSeenReply), jiffies_until(record.deadline, now), hand_});
        }
        ++hand_;
    }
    barren_ = candidates_.empty() ? barren_ + count : 0;
    const auto worse = [](const Candidate& a, const Candidate& b) {
        return std::tie(b.replied, b.left, b.number) < std::tie(a.replied, a.left, a.number);
    };
    if (candidates_.size() > kKept) {
        const auto kept = candidates_.end() - static_cast<std::ptrdiff_t>(kKept);
        std::nth_element(candidates_.begin(), kept, candidates_.end(), worse);
        candidates_.erase(candidates_.begin(), kept);
    }
    std::sort(candidates_.begin(), candidates_.end(), worse);
}

}  // namespace nsr::conntrack
