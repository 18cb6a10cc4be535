// MemoryPort: two ports back to back, joined by a queue in each direction. What is written to one
// is read from the other, frame by frame, as from a TUN device. They may be of two routers; the
// buffers of the one's pool never reach the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "netlink/descriptor.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

class MemoryPort : public Port {
  public:
    using Pair = std::pair<std::unique_ptr<MemoryPort>, std::unique_ptr<MemoryPort>>;

    // One for each interface; a queue holds at most `frames`. Throws SystemError.
    static Pair pair(IfIndex first, IfIndex second, std::size_t frames = 1024);
    ~MemoryPort() override;  // for the other end, this one is gone

    [[nodiscard]] int descriptor() const override;
    [[nodiscard]] routing::LinkCapabilities capabilities() const override;
    void set_carrier(bool carrier) override { carrier_ = carrier; }
    [[nodiscard]] bool carrier() const { return carrier_; }

  private:
    struct Queue;

    MemoryPort(IfIndex interface, std::shared_ptr<Queue> in, std::shared_ptr<Queue> out);
    ssize_t read_frame(std::span<std::uint8_t> space) override;
    ssize_t write_frame(std::span<const std::uint8_t> frame) override;

    std::shared_ptr<Queue> in_;
    std::shared_ptr<Queue> out_;
    bool carrier_ = true;
};

}  // namespace nsr::router
