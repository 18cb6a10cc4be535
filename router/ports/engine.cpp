#include "router/ports/engine.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <optional>
#include <string>

namespace nsr::router {

namespace asio = boost::asio;
using Error = boost::system::error_code;

namespace {

constexpr int kBatchesPerTurn = 16;
constexpr auto kShortestWait = std::chrono::milliseconds(1);

struct Port {
    Port(asio::io_context& loop, netlink::Tun tun, IfIndex interface)
        : frames(std::move(tun), interface), readable(loop, frames.descriptor()) {}
    // The descriptor is closed by the TUN port alone.
    ~Port() {
        if (readable.is_open()) {
            readable.release();
        }
    }

    TunPort frames;
    asio::posix::stream_descriptor readable;
};

}  // namespace

struct Engine::Impl {
    Impl(Router& core, const SystemClock& time, LogSink& sink)
        : router(core), clock(time), log(sink), timer(loop), signals(loop) {}

    void await_frames(Port& port);
    void drain(Port& port);
    void forward();
    void flush();
    void expire();
    void arm_timer();
    void await_signal();
    void lose(Port& port);
    void abandon(const std::exception& failure);
    void report(const std::exception& failure);

    Router& router;
    const SystemClock& clock;
    LogSink& log;
    asio::io_context loop{1};
    asio::steady_timer timer;
    asio::signal_set signals;
    std::function<void(int)> signal_handler;
    std::optional<Instant> armed;
    std::vector<std::unique_ptr<Port>> ports;  // by index of interface - 1; gaps are null
    std::vector<Packet> batch;
    EgressQueue out;
};

Engine::Engine(Router& router, const SystemClock& clock, LogSink& log)
    : impl_(std::make_unique<Impl>(router, clock, log)) {
}

Engine::~Engine() = default;

asio::io_context& Engine::loop() {
    return impl_->loop;
}

void Engine::add_port(netlink::Tun tun, IfIndex interface) {
    auto& ports = impl_->ports;
    const std::size_t slot = raw(interface) - 1u;
    if (ports.size() <= slot) {
        ports.resize(slot + 1);
    }
    ports[slot] = std::make_unique<Port>(impl_->loop, std::move(tun), interface);
    impl_->await_frames(*ports[slot]);
}

void Engine::on_signal(std::function<void(int)> handler) {
    impl_->signal_handler = std::move(handler);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        impl_->signals.add(number);
    }
    impl_->await_signal();
}

// What a handler throws (no memory, say) ends that handler's work and nothing else: a connection
// whose handler is gone closes. Bugs of the packet path do not throw, they abort.
void Engine::run() {
    impl_->arm_timer();
    while (!impl_->loop.stopped()) {
        try {
            impl_->loop.run();
        } catch (const std::exception& failure) {
            impl_->report(failure);
        }
    }
}

void Engine::stop() {
    impl_->loop.stop();
}

void Engine::close_ports() {
    impl_->ports.clear();
}

void Engine::deadlines_changed() {
    impl_->arm_timer();
}

void Engine::set_carrier(IfIndex interface, bool carrier) {
    if (const TunPort* frames = port(interface)) {
        netlink::set_carrier(frames->tun(), carrier);
    }
}

const TunPort* Engine::port(IfIndex interface) const {
    const std::size_t slot = raw(interface) - 1u;
    return slot < impl_->ports.size() && impl_->ports[slot] ? &impl_->ports[slot]->frames : nullptr;
}

// --- packets ----------------------------------------------------------------------------------

void Engine::Impl::await_frames(Port& port) {
    port.readable.async_wait(asio::posix::stream_descriptor::wait_read, [this, &port](Error error) {
        if (!error) {
            drain(port);
        }
    });
}

void Engine::Impl::drain(Port& port) {
    auto end = TunPort::ReadEnd::Budget;
    try {
        for (int i = 0; i < kBatchesPerTurn && end == TunPort::ReadEnd::Budget; ++i) {
            end = port.frames.read_batch(router.pool(), batch);
            forward();
        }
        arm_timer();
    } catch (const std::exception& failure) {
        abandon(failure);
    }
    if (end == TunPort::ReadEnd::Gone) {
        lose(port);
    } else if (end == TunPort::ReadEnd::Budget) {
        asio::post(loop, [this, &port] { drain(port); });
    } else {
        await_frames(port);
    }
}

void Engine::Impl::forward() {
    if (batch.empty()) {
        return;
    }
    router.receive(batch, clock.now(), out);
    batch.clear();
    flush();
}

void Engine::Impl::flush() {
    for (Packet& packet : out) {
        const std::size_t slot = raw(packet.meta.out) - 1u;
        if (slot >= ports.size() || !ports[slot] || !ports[slot]->frames.write(packet)) {
            router.egress_failed(packet.meta.out, DropReason::EgressFailed);
        }
    }
    out.clear();
}

void Engine::Impl::lose(Port& port) {
    const IfIndex index = port.frames.index();
    router.set_up(index, false, clock.now());
    log.log(clock.now(), LogLevel::Error,
            "nsrouter: device of interface " + router.interfaces().get(index).name + " is gone");
    port.readable.release();
    ports[raw(index) - 1u].reset();
}

// The packets at hand are lost; those that come next are not.
void Engine::Impl::abandon(const std::exception& failure) {
    batch.clear();
    out.clear();
    report(failure);
}

void Engine::Impl::report(const std::exception& failure) {
    log.log(clock.now(), LogLevel::Error, std::string("nsrouter: gave up: ") + failure.what());
}

// --- time and signals -------------------------------------------------------------------------

void Engine::Impl::expire() {
    armed.reset();
    try {
        router.expire(clock.now(), out);
        flush();
    } catch (const std::exception& failure) {
        abandon(failure);
    }
    arm_timer();
}

// A timer that is armed for an earlier moment stays: waking once too often is cheaper than arming
// it for every batch.
void Engine::Impl::arm_timer() {
    const std::optional<Instant> deadline = router.next_deadline();
    if (!deadline || (armed && *armed <= *deadline)) {
        return;
    }
    armed = deadline;
    const Duration wait = std::max<Duration>(*deadline - clock.now(), kShortestWait);
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(wait));
    timer.async_wait([this](Error error) {
        if (!error) {
            expire();
        }
    });
}

void Engine::Impl::await_signal() {
    signals.async_wait([this](Error error, int number) {
        if (!error) {
            await_signal();
            signal_handler(number);
        }
    });
}

}  // namespace nsr::router
