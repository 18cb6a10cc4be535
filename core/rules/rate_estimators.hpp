// RateEstimators: how many bytes and packets per second the rules see that say -j RATEEST, by name.
//
// Theory of operation
//   A kernel's timer looks at an estimator's counters once per interval and lets the rate decay
//   towards what came since. Here the ticks that are due are made up for when somebody counts or
//   asks; they lie at multiples of the interval. Ticks without packets are bounded: once a rate has
//   stopped falling, the rest are skipped.
// kernel: net/core/gen_estimator.c, xt_RATEEST.c
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/instant.hpp"

namespace nsr::rules {

// kernel: struct gnet_estimator, its interval counted from 0
struct RateConfig {
    unsigned interval_log = 0;  // 250 ms << interval_log
    unsigned ewma_log = 1;      // a tick moves the rate by 1 / 2^ewma_log of what is missing
};

struct Rate {
    std::uint64_t bytes = 0;    // per second
    std::uint64_t packets = 0;  // per second
};

class RateEstimators {
  public:
    // A rule names it, and one does no more: what no rule names is forgotten.
    // kernel: xt_rateest_lookup, xt_rateest_put
    void join(std::string_view name);
    void leave(std::string_view name);
    // Of a name that is new: the estimator begins with `config`.
    void count(std::string_view name, const RateConfig& config, std::uint64_t bytes, Jiffies now);
    // Nothing counts under a name that no rule has fed yet.
    [[nodiscard]] Rate rate(std::string_view name, Jiffies now);
    [[nodiscard]] std::size_t remembered() const { return by_name_.size(); }

  private:
    struct Estimator {
        RateConfig config;
        Rate counted;  // since the last tick
        Rate average;  // in 1/256
        Jiffies next_tick = 0;
    };
    static void catch_up(Estimator& estimator, Jiffies now);

    std::map<std::string, Estimator, std::less<>> by_name_;
    std::map<std::string, std::size_t, std::less<>> users_;  // rules, by name
};

}  // namespace nsr::rules
