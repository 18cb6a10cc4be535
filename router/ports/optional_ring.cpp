#include "router/ports/optional_ring.hpp"

#include "netlink/error.hpp"

namespace nsr::router {

void OptionalRing::make(const FrameRing::Calls& calls) {
    try {
        ring_ = std::make_unique<FrameRing>(calls);
    } catch (const SystemError& error) {
        refused(error.what());
    }
}

OptionalRing::State OptionalRing::state() const {
    State state{get() != nullptr, refused_};
    if (ring_) {
        state.frames = ring_->frames();
        state.calls = ring_->calls();
    }
    return state;
}

void OptionalRing::give_up() {
    refused(SystemError("use an io_uring", ring_->broken_by()).what());
    ring_.reset();
}

void OptionalRing::refused(const std::string& why) {
    refused_ = why;
    log_.log(clock_.now(), LogLevel::Info, "nsrouter: a system call for each frame: " + why);
}

}  // namespace nsr::router
