// Engine: the event loop that moves packets between ports and the core.
//
// Theory of operation
//   One thread, one Asio loop on epoll. When a port is readable its frames are drained in batches;
//   each batch gets one reading of the clock, goes through Router::receive, and what leaves is
//   written at once, a write for each packet or for several of a flow (egress.hpp). Where there is
//   a ring, many frames take one system call (frame_ring.hpp). After packets the loop polls for a
//   while before it sleeps (spin.hpp). Turns are bounded by time, not by numbers: a port that has
//   more after kTurn goes to the back of the queue, and a batch whose packets are dear (they may
//   run through thousands of rules) is followed by a smaller one. So do timers, and so does the
//   work of the control port that is given to schedule(): whatever of it comes at once, packets get
//   their turn after kTurn. A write that fails costs that packet and nothing else: it is counted
//   under DropReason::EgressFailed. One timer serves all deadlines of the core: it is armed for
//   Router::next_deadline() and never sooner than a millisecond from now, so that a deadline in the
//   past cannot make the loop spin. Of several shards each has an engine and a thread of its own;
//   what they hand over comes by a link (router/shards). Ports come and go while the loop runs: a
//   handler that is on its way to a port holds it, and finds it detached. When the last port of an
//   interface is gone, its interface goes down; the others go on. An exception costs what was being
//   done and goes to the log.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/base/clock.hpp"
#include "router/ports/optional_ring.hpp"
#include "router/ports/port.hpp"
#include "router/ports/turns.hpp"

namespace boost::asio {
class io_context;
}

namespace nsr::router {

class ShardLink;
class Spin;

class Engine {
  public:
    Engine(Router& router, const SystemClock& clock, LogSink& log);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    [[nodiscard]] boost::asio::io_context& loop();
    // Another port of port->interface().
    void add_port(std::unique_ptr<Port> port);
    // Closes them; the interface stays as it is.
    void remove_ports(IfIndex interface);
    // The same, but that they stay open.
    std::vector<std::unique_ptr<Port>> take_ports(IfIndex interface);
    // Called with an interface whose last port was found gone, before it goes down.
    void on_lost(std::function<void(IfIndex)> handler);
    // Called with the number of each signal that would end the process, from here on; but for those
    // that a bug raises, and SIGPIPE and SIGXFSZ, which writing can raise.
    void on_signal(std::function<void(int)> handler);

    // The most that a port, the timers, or all that is scheduled take before others have a turn, as
    // far as it can be cut: one packet, one timer, one piece of work is not.
    static constexpr Duration kTurn = std::chrono::microseconds(250);

    // Has `work` called on the loop. Any thread may ask for that.
    void post(std::function<void()> work);
    // The same, for many pieces of work that may come at once: they share one turn.
    void schedule(std::function<void()> work);

    // Of all turns so far, how long they took.
    [[nodiscard]] const Turns& turns() const;
    [[nodiscard]] const Spin& spin() const;

    // How long it may poll before it sleeps (Spin); and whether packets of a flow that leave
    // together become one (Coalescer). From the start: not at all; they do.
    void set_spin(Duration longest);
    void set_coalescing(bool on);

    // Whether many frames are moved with one system call. From the start: they are not.
    [[nodiscard]] OptionalRing& ring();

    // What other shards hand over comes by `link`, which must outlive the engine. Before run().
    void join(ShardLink& link);

    void run();  // until stop()
    void stop();
    // After the end of run(): what can be done without waiting.
    void run_what_is_ready();
    void close_ports();
    // Something outside the packet path changed the core's deadlines.
    void deadlines_changed();

    // Whether the ports of `interface` have a carrier: what their other ends see of a link that is
    // down here. Throws SystemError.
    void set_carrier(IfIndex interface, bool carrier);
    [[nodiscard]] std::vector<const Port*> ports(IfIndex interface) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::router
