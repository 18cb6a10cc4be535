#include "router/ports/spin.hpp"

#include <sched.h>

#include <algorithm>
#include <utility>

namespace nsr::router {
namespace {

constexpr Duration kBetweenOffers = std::chrono::microseconds(10);
// Two switches to another thread and its work; a call that changes nothing takes a tenth of it.
constexpr Duration kSomebodyRan = std::chrono::microseconds(5);

}  // namespace

void Spin::set_longest(Duration longest) {
    longest_ = longest;
    allowance_ = longest;
}

void Spin::packets(Instant begin, Instant end) {
    allowance_ = begin - last_end_ <= longest_ ? longest_ : allowance_ / 2;
    last_end_ = end;
    fresh_ = true;
}

Duration Spin::allowance() const {
    return allowance_ < kShortest || last_end_ < resting_until_ ? Duration{} : allowance_;
}

void Spin::disturbed(Instant now) {
    resting_until_ = now + rest_;
    rest_ = std::min(rest_ * 2, kLongestRest);
}

void Spin::succeeded() {
    rest_ = std::max(rest_ / 2, kShortestRest);
}

bool Spin::stay_awake(const SystemClock& clock, const std::function<void()>& poll) {
    if (longest_ == kBusy) {
        poll();
        return true;
    }
    const Duration most = allowance();
    if (!std::exchange(fresh_, false) || most == Duration{}) {
        return false;
    }
    const Instant until = last_end_ + most;
    Instant now = last_end_;
    Instant next_offer = now;
    bool offered = false;
    do {
        poll();
        if (fresh_) {
            if (offered) {
                succeeded();
            }
            return end(SpinEnd::Packets);
        }
        now = clock.now();
        if (now < next_offer) {
            continue;
        }
        ::sched_yield();
        const Instant back = clock.now();
        if (back - now > kSomebodyRan) {
            disturbed(back);
            return end(SpinEnd::GaveWay);
        }
        now = back;
        next_offer = now + kBetweenOffers;
        offered = true;
    } while (now < until);
    return end(SpinEnd::Timeout);
}

// -> do not sleep yet
bool Spin::end(SpinEnd how) {
    ++ended_[static_cast<std::size_t>(how)];
    return how == SpinEnd::Packets;
}

}  // namespace nsr::router
