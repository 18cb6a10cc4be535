// The ring of a router, if it has one: the kernel may refuse it, at once or later, and a
// configuration may not want it. Without, frames are moved one by one. What the kernel refused is
// told in the log, once, to those who want a ring.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/log.hpp"
#include "router/base/clock.hpp"
#include "router/ports/frame_ring.hpp"

namespace nsr::router {

class OptionalRing {
  public:
    struct State {
        bool in_use = false;
        std::string refused;  // why there is none; empty: it was not refused, or is not wanted
        std::uint64_t frames = 0;
        std::uint64_t calls = 0;
    };

    OptionalRing(const SystemClock& clock, LogSink& log) : clock_(clock), log_(log) {}

    // Makes calls that confine() forbids. Not to be used before set(true).
    void make(const FrameRing::Calls& calls = FrameRing::kKernel);
    void set(bool on);
    // Null: there is none for now.
    [[nodiscard]] FrameRing* get() const { return on_ ? ring_.get() : nullptr; }
    // Gives it up if it broke.
    void look_after() {
        if (ring_ && ring_->broken_by() != 0) {
            give_up();
        }
    }
    [[nodiscard]] State state() const;

  private:
    void give_up();
    void tell_refused();

    const SystemClock& clock_;
    LogSink& log_;
    std::unique_ptr<FrameRing> ring_;
    bool on_ = false;
    std::string refused_;
    bool told_ = false;
};

}  // namespace nsr::router
