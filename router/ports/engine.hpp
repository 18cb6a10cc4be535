// Engine: the event loop that moves packets between TUN ports and the core.
//
// Theory of operation
//   One thread, one Asio loop on epoll. When a port is readable its frames are drained in batches;
//   each batch gets one reading of the clock, goes through Router::receive, and what leaves is
//   written at once, one write per packet. A port that keeps having more goes to the back of the
//   queue after a few batches, so that every port, timer and control connection gets its turn. A
//   write that fails costs that packet and nothing else. One timer serves all deadlines of the
//   core: it is armed for Router::next_deadline() and never sooner than a millisecond from now, so
//   that a deadline in the past cannot make the loop spin. A device that disappears takes its
//   interface down; the others go on. An exception costs what was being done and goes to the log.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/pipeline/router.hpp"
#include "netlink/tun.hpp"
#include "router/base/clock.hpp"
#include "router/ports/tun_port.hpp"

namespace boost::asio {
class io_context;
}

namespace nsr::router {

class Engine {
  public:
    Engine(Router& router, const SystemClock& clock, LogSink& log);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    [[nodiscard]] boost::asio::io_context& loop();
    void add_port(netlink::Tun tun, IfIndex interface);
    // Called with the number of each SIGINT, SIGTERM and SIGHUP that arrives.
    void on_signal(std::function<void(int)> handler);

    void run();  // until stop()
    void stop();
    void close_ports();
    // Something outside the packet path changed the core's deadlines.
    void deadlines_changed();

    // Whether the device of `interface` has a carrier: what its namespace sees of a link that is
    // down here. Nothing if the device is gone. Throws SystemError.
    void set_carrier(IfIndex interface, bool carrier);
    [[nodiscard]] const TunPort* port(IfIndex interface) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::router
