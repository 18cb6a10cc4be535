#include "router/ports/optional_ring.hpp"

#include "netlink/error.hpp"

namespace nsr::router {

void OptionalRing::make(const FrameRing::Calls& calls) {
    try {
        ring_ = std::make_unique<FrameRing>(calls);
    } catch (const SystemError& error) {
        refused_ = error.what();
    }
}

void OptionalRing::set(bool on) {
    on_ = on;
    tell_refused();
}

OptionalRing::State OptionalRing::state() const {
    State state{get() != nullptr, on_ ? refused_ : std::string()};
    if (ring_) {
        state.frames = ring_->frames();
        state.calls = ring_->calls();
    }
    return state;
}

void OptionalRing::give_up() {
    refused_ = SystemError("use an io_uring", ring_->broken_by()).what();
    ring_.reset();
    tell_refused();
}

void OptionalRing::tell_refused() {
    if (on_ && !refused_.empty() && !told_) {
        told_ = true;
        log_.log(clock_.now(), LogLevel::Info,
                 "nsrouter: a system call for each frame: " + refused_);
    }
}

}  // namespace nsr::router
