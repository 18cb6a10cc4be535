// RateLimit: lets a few log lines through and counts the rest. kernel: ___ratelimit with
// net_ratelimit's numbers
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/instant.hpp"

namespace nsr::conntrack {

class RateLimit {
  public:
    static constexpr Jiffies kInterval = 5 * kJiffiesPerSecond;
    static constexpr std::uint32_t kBurst = 10;

    struct Answer {
        bool allowed = false;
        std::uint32_t suppressed = 0;  // in the interval that just ended
    };

    Answer ask(Jiffies now) {
        Answer answer;
        if (!begin_ || jiffies_until(*begin_ + kInterval, now) < 0) {
            answer.suppressed = missed_;
            begin_ = now;
            passed_ = 0;
            missed_ = 0;
        }
        answer.allowed = passed_ < kBurst;
        ++(answer.allowed ? passed_ : missed_);
        return answer;
    }

  private:
    std::optional<Jiffies> begin_;
    std::uint32_t passed_ = 0;
    std::uint32_t missed_ = 0;
};

}  // namespace nsr::conntrack
