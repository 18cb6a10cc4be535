// The time of a running router.
//
// The core wants one steady Instant per batch. It is CLOCK_MONOTONIC, which stands still while the
// machine sleeps, as the kernel's own connection timers (jiffies) do, shifted once at start so that
// it counts from the Unix epoch: a connection's start and the `time` match then need no second
// clock. A later change of the wall clock moves neither.
#pragma once

#include <cstdint>

#include "core/base/instant.hpp"

namespace nsr::router {

class SystemClock {
  public:
    SystemClock();

    [[nodiscard]] Instant now() const;
    // How long the machine has run, as dmesg counts.
    [[nodiscard]] Duration since_boot(Instant t) const { return t.time_since_epoch() - shift_; }

  private:
    Duration shift_;
};

// The processor time that the calling thread has used. A system call, unlike SystemClock::now().
Duration thread_time();
// The same of all its threads.
Duration process_time();

}  // namespace nsr::router
