#include "router/base/clock.hpp"

#include <time.h>

namespace nsr::router {
namespace {

Duration read(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

SystemClock::SystemClock() : shift_(read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)) {
}

Instant SystemClock::now() const {
    return Instant(read(CLOCK_MONOTONIC) + shift_);
}

Duration thread_time() {
    return read(CLOCK_THREAD_CPUTIME_ID);
}

Duration process_time() {
    return read(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace nsr::router
