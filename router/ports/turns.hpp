// How long the turns of the event loop took: what stands between a packet that arrives and the loop
// that would take it.
//
// Theory of operation
//   A turn is what the loop does at one go: the frames of a port (Packets), what timers owe
//   (Timers), or what the control port and changes of the router are about (Control). Its length is
//   the difference of two readings of the clock that are made anyway (Engine), sorted into a
//   histogram: a few comparisons for each turn, of up to a batch of packets or more. A machine that
//   gives the processor to somebody else makes turns long that are none, so the processor time of
//   Timers and Control turns is kept as well. Reading that is a system call, which packets do not
//   pay.
//   What http::Session does between a request and its handler (reading, framing) is no part of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/instant.hpp"
#include "router/base/clock.hpp"

namespace nsr::router {

class TurnHistogram {
  public:
    // The upper bounds of the buckets; what is longer than the last one has a bucket of its own.
    static constexpr std::array<Duration, 16> kBounds = {
        std::chrono::microseconds(10),  std::chrono::microseconds(25),
        std::chrono::microseconds(50),  std::chrono::microseconds(100),
        std::chrono::microseconds(250), std::chrono::microseconds(500),
        std::chrono::milliseconds(1),   std::chrono::microseconds(2500),
        std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
        std::chrono::milliseconds(25),  std::chrono::milliseconds(50),
        std::chrono::milliseconds(100), std::chrono::milliseconds(250),
        std::chrono::milliseconds(500), std::chrono::seconds(1)};
    static constexpr std::size_t kOneMillisecond = 6;  // its place in kBounds
    static_assert(kBounds[kOneMillisecond] == std::chrono::milliseconds(1));
    static constexpr std::size_t kBuckets = kBounds.size() + 1;

    void add(Duration length) {
        std::size_t bucket = 0;
        while (bucket < kBounds.size() && length > kBounds[bucket]) {
            ++bucket;
        }
        ++buckets_[bucket];
        ++count_;
        sum_ += length;
        worst_ = length > worst_ ? length : worst_;
    }

    // Those within bound `bucket` and above the one before it.
    [[nodiscard]] std::uint64_t in(std::size_t bucket) const { return buckets_[bucket]; }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] Duration sum() const { return sum_; }
    [[nodiscard]] Duration worst() const { return worst_; }
    // How many took longer than kBounds[bound].
    [[nodiscard]] std::uint64_t longer_than(std::size_t bound) const;

  private:
    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    Duration sum_{};
    Duration worst_{};
};

struct Turns {
    TurnHistogram packets;
    TurnHistogram timers;
    TurnHistogram timers_cpu;  // processor time of the same turns
    TurnHistogram control;
    TurnHistogram control_cpu;
};

// A turn while it lives, whose processor time is kept.
class WatchedTurn {
  public:
    WatchedTurn(const SystemClock& clock, TurnHistogram& time, TurnHistogram& cpu)
        : clock_(clock), time_(time), cpu_(cpu), begin_(clock.now()), cpu_begin_(thread_time()) {}
    ~WatchedTurn();
    WatchedTurn(const WatchedTurn&) = delete;
    WatchedTurn& operator=(const WatchedTurn&) = delete;
    [[nodiscard]] Instant begin() const { return begin_; }

  private:
    const SystemClock& clock_;
    TurnHistogram& time_;
    TurnHistogram& cpu_;
    Instant begin_;
    Duration cpu_begin_;
};

}  // namespace nsr::router
