// TunPort: a TUN device as a port.
#pragma once

#include <memory>
#include <utility>

#include "netlink/tun.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

class TunPort : public Port {
  public:
    TunPort(netlink::Tun tun, IfIndex interface) : Port(interface), tun_(std::move(tun)) {}

    [[nodiscard]] int descriptor() const override { return tun_.descriptor.get(); }
    [[nodiscard]] routing::LinkCapabilities capabilities() const override;
    void set_carrier(bool carrier) override;
    [[nodiscard]] bool is_device() const override { return true; }

  private:
    ssize_t read_frame(std::span<std::uint8_t> space) override;
    ssize_t write_frame(std::span<const std::uint8_t> frame) override;

    netlink::Tun tun_;
};

}  // namespace nsr::router
