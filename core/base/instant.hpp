// Time as the core sees it: a value that is passed in, never read.
//
// `RouterClock` has a time_point but no now(): asking it for the time does not compile. Whoever
// drives the core (the event loop, a replay, a test) reads or invents one Instant per batch and
// passes it down.
#pragma once

#include <chrono>
#include <cstdint>

namespace nsr {

struct RouterClock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<RouterClock>;
    static constexpr bool is_steady = true;  // NOLINT(readability-identifier-naming): std's name
};

using Duration = RouterClock::duration;
using Instant = RouterClock::time_point;
inline constexpr Instant kNever = Instant::max();  // of deadlines, where there is none

// Deadlines in the connection table are 32-bit jiffies, as in the kernel (nfct_time_stamp): 4 ms
// each (HZ=250), compared modulo 2^32, so that a deadline may lie up to 99 days ahead.
using Jiffies = std::uint32_t;
inline constexpr Duration kJiffy = std::chrono::milliseconds(4);
inline constexpr Jiffies kJiffiesPerSecond = 250;

constexpr Jiffies to_jiffies(Instant t) {
    return static_cast<Jiffies>(t.time_since_epoch() / kJiffy);
}

// As far ahead as a deadline may be. kernel: ctnetlink_change_timeout's cap
constexpr Jiffies seconds_to_jiffies(std::uint64_t seconds) {
    constexpr std::uint64_t kMost = 0x7fffffff;
    return static_cast<Jiffies>(seconds < kMost / kJiffiesPerSecond ? seconds * kJiffiesPerSecond
                                                                    : kMost);
}

constexpr Jiffies milliseconds_to_jiffies(std::uint32_t milliseconds) {
    return static_cast<Jiffies>(std::uint64_t{milliseconds} * kJiffiesPerSecond / 1000);
}

// Ticks from `now` to `deadline`; zero or negative once it has passed. kernel: nf_ct_expires
constexpr std::int32_t jiffies_until(Jiffies deadline, Jiffies now) {
    return static_cast<std::int32_t>(deadline - now);
}

}  // namespace nsr
