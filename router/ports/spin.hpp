// Spin: how long the event loop looks for packets before it sleeps.
//
// Theory of operation
//   Waking a thread that sleeps in epoll takes longer than forwarding a packet. After packets the
//   loop therefore polls for a while, and finds the next ones awake. What may be spent is judged
//   by what it would have brought: every turn of packets tells the gap since the one before. One
//   within the longest spin was found, or would have been, and the whole time may be spent next;
//   any other halves it. So packets that come further apart than that soon cost nothing, and a
//   router without packets sleeps.
//   The processor may be wanted by others: the ends of the very connections, on a machine of few
//   cores. While it polls, the loop offers its core now and then (sched_yield); when that took so
//   long that somebody else has run, it sleeps at once, and does not spin for a rest that doubles
//   each time, from 1 ms to 256 ms, and becomes shorter with spins that nobody disturbed.
//   Knows no event loop. What polling does is the caller's, and so is the sleep.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/base/instant.hpp"
#include "router/base/clock.hpp"

namespace nsr::router {

// How a spin ended: with packets, for lack of them, or because somebody else wanted the core.
enum class SpinEnd : std::uint8_t { Packets, Timeout, GaveWay };
inline constexpr std::array<std::string_view, 3> kSpinEnds = {"packets", "timeout", "gave_way"};
static_assert(kSpinEnds.size() == static_cast<std::size_t>(SpinEnd::GaveWay) + 1);

class Spin {
  public:
    static constexpr Duration kOff{};
    static constexpr Duration kBusy = Duration::max();  // never sleeps, never offers its core
    // Less is not worth the calls.
    static constexpr Duration kShortest = std::chrono::microseconds(2);
    static constexpr Duration kShortestRest = std::chrono::milliseconds(1);
    static constexpr Duration kLongestRest = std::chrono::milliseconds(256);

    // At most `longest` before a sleep, or one of the two above.
    void set_longest(Duration longest);

    // A turn of packets, which ended because there were no more or its time was over.
    void packets(Instant begin, Instant end);
    // What may be spent after it; zero while it rests.
    [[nodiscard]] Duration allowance() const;
    // Somebody else ran on this core in the middle of a spin.
    void disturbed(Instant now);
    // A spin found packets after nobody else had wanted the core.
    void succeeded();

    // Calls `poll`, which reports what it did through packets(), until that happens or the time is
    // over. True: do not sleep yet.
    bool stay_awake(const SystemClock& clock, const std::function<void()>& poll);

    // How many did. What is kBusy never ends.
    [[nodiscard]] std::uint64_t ended(SpinEnd end) const {
        return ended_[static_cast<std::size_t>(end)];
    }

  private:
    bool end(SpinEnd how);

    Duration longest_ = kOff;
    Duration allowance_{};
    Duration rest_ = kShortestRest;  // the next one
    Instant resting_until_{};
    Instant last_end_{};
    bool fresh_ = false;  // packets have come since stay_awake() was last called
    std::array<std::uint64_t, kSpinEnds.size()> ended_{};
};

}  // namespace nsr::router
