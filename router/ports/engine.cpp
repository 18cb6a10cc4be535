#include "router/ports/engine.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "router/ports/attached.hpp"
#include "router/ports/egress.hpp"
#include "router/ports/spin.hpp"

namespace nsr::router {

namespace asio = boost::asio;
using Error = boost::system::error_code;

struct Engine::Impl {
    Impl(Router& core, const SystemClock& time, LogSink& sink)
        : router(core), clock(time), log(sink), timer(loop), signals(loop) {}

    std::vector<AttachedPtr>& of(IfIndex interface);
    Port* port_of(IfIndex interface);
    void await_frames(const AttachedPtr& attached);
    void drain(const AttachedPtr& attached);
    Port::ReadEnd turn(const AttachedPtr& attached);
    void forward();
    void fit_batch(std::size_t packets, Duration spent);
    void expire();
    bool expire_for_a_turn();
    void arm_timer();
    void run_posted(std::function<void()>&& work);
    void run_scheduled();
    void await_signal();
    void lose(const AttachedPtr& attached);
    std::vector<std::unique_ptr<Port>> detach_all(IfIndex interface);
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
    std::function<void(IfIndex)> lost_handler;
    std::vector<std::vector<AttachedPtr>> ports;  // by index of interface
    BufferPool pool;
    std::vector<Packet> batch;
    std::size_t most_packets = kBatchPackets;  // of the next batch
    OptionalRing ring{clock, log};
    EgressQueue out;
    Egress egress{router, [this](IfIndex interface) { return port_of(interface); }, ring};
    Spin spin;
    std::deque<std::function<void()>> scheduled;
    Turns turns;
};

Engine::Engine(Router& router, const SystemClock& clock, LogSink& log)
    : impl_(std::make_unique<Impl>(router, clock, log)) {
}

Engine::~Engine() = default;

asio::io_context& Engine::loop() {
    return impl_->loop;
}

void Engine::add_port(std::unique_ptr<Port> port) {
    std::vector<AttachedPtr>& ports = impl_->of(port->interface());
    ports.push_back(std::make_shared<Attached>(impl_->loop, std::move(port)));
    impl_->await_frames(ports.back());
}

void Engine::remove_ports(IfIndex interface) {
    impl_->detach_all(interface);
}

std::vector<std::unique_ptr<Port>> Engine::take_ports(IfIndex interface) {
    return impl_->detach_all(interface);
}

void Engine::on_lost(std::function<void(IfIndex)> handler) {
    impl_->lost_handler = std::move(handler);
}

void Engine::on_signal(std::function<void(int)> handler) {
    impl_->signal_handler = std::move(handler);
    // Those that would end the process, and leave behind what it has made.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1,
                             SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT, SIGXCPU}) {
        impl_->signals.add(number);
    }
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
        impl_->signals.add(number);
    }
    impl_->await_signal();
}

void Engine::post(std::function<void()> work) {
    asio::post(impl_->loop, [impl = impl_.get(), work = std::move(work)]() mutable {
        impl->run_posted(std::move(work));
    });
}

void Engine::schedule(std::function<void()> work) {
    impl_->scheduled.push_back(std::move(work));
    if (impl_->scheduled.size() == 1) {
        asio::post(impl_->loop, [impl = impl_.get()] { impl->run_scheduled(); });
    }
}

// What a handler throws (no memory, say) ends that handler's work and nothing else: a connection
// whose handler is gone closes. Bugs of the packet path do not throw, they abort.
void Engine::run() {
    impl_->arm_timer();
    const std::function<void()> poll = [loop = &impl_->loop] { loop->poll_one(); };
    while (!impl_->loop.stopped()) {
        try {
            if (!impl_->spin.stay_awake(impl_->clock, poll)) {
                impl_->loop.run_one();
            }
        } catch (const std::exception& failure) {
            impl_->report(failure);
        }
    }
}

void Engine::stop() {
    impl_->loop.stop();
}

void Engine::set_spin(Duration longest) {
    impl_->spin.set_longest(longest);
}

void Engine::set_coalescing(bool on) {
    impl_->egress.set_coalescing(on);
}

OptionalRing& Engine::ring() {
    return impl_->ring;
}

void Engine::run_what_is_ready() {
    impl_->loop.restart();
    impl_->loop.poll();
}

void Engine::close_ports() {
    for (std::uint16_t index = 0; index < impl_->ports.size(); ++index) {
        impl_->detach_all(IfIndex{index});
    }
}

const Turns& Engine::turns() const {
    return impl_->turns;
}

const Spin& Engine::spin() const {
    return impl_->spin;
}

void Engine::deadlines_changed() {
    impl_->arm_timer();
}

void Engine::set_carrier(IfIndex interface, bool carrier) {
    for (const AttachedPtr& attached : impl_->of(interface)) {
        attached->port->set_carrier(carrier);
    }
}

std::vector<const Port*> Engine::ports(IfIndex interface) const {
    std::vector<const Port*> found;
    for (const AttachedPtr& attached : impl_->of(interface)) {
        found.push_back(attached->port.get());
    }
    return found;
}

// --- packets ----------------------------------------------------------------------------------

std::vector<AttachedPtr>& Engine::Impl::of(IfIndex interface) {
    if (ports.size() <= raw(interface)) {
        ports.resize(raw(interface) + std::size_t{1});
    }
    return ports[raw(interface)];
}

// Nothing tells the ports of an interface apart yet: the first one takes what leaves.
Port* Engine::Impl::port_of(IfIndex interface) {
    const std::vector<AttachedPtr>& candidates = of(interface);
    return candidates.empty() ? nullptr : candidates.front()->port.get();
}

void Engine::Impl::await_frames(const AttachedPtr& attached) {
    attached->readable.async_wait(asio::posix::stream_descriptor::wait_read,
                                  [this, attached](Error error) {
                                      if (!error) {
                                          drain(attached);
                                      }
                                  });
}

void Engine::Impl::drain(const AttachedPtr& attached) {
    auto end = Port::ReadEnd::Budget;
    try {
        end = turn(attached);
        arm_timer();
    } catch (const std::exception& failure) {
        abandon(failure);
    }
    if (!attached->port) {
        return;
    }
    if (end == Port::ReadEnd::Gone) {
        lose(attached);
    } else if (end == Port::ReadEnd::Budget) {
        asio::post(loop, [this, attached] { drain(attached); });
    } else {
        await_frames(attached);
    }
}

// Batches until there are no more, or the turn is over.
Port::ReadEnd Engine::Impl::turn(const AttachedPtr& attached) {
    const Instant begin = clock.now();
    Instant before = begin;
    const Instant over = before + kTurn;
    auto end = Port::ReadEnd::Budget;
    std::size_t read = 0;
    while (attached->port && end == Port::ReadEnd::Budget && before < over) {
        end = attached->port->read_batch(pool, batch, most_packets, ring.get());
        for (const DropReason reason : attached->port->refused()) {
            router.ingress_failed(attached->port->interface(), reason);
        }
        const std::size_t packets = batch.size();
        read += packets;
        forward();
        const Instant after = clock.now();
        fit_batch(packets, after - before);
        before = after;
    }
    turns.packets.add(before - begin);
    ring.look_after();
    if (read != 0) {
        spin.packets(begin, before);
    }
    return end;
}

void Engine::Impl::forward() {
    if (batch.empty()) {
        return;
    }
    router.receive(batch, clock.now(), out);
    batch.clear();
    egress.flush(out);
}

// One batch is to take no longer than a turn.
void Engine::Impl::fit_batch(std::size_t packets, Duration spent) {
    if (spent > kTurn) {
        most_packets = std::max<std::size_t>(1, packets / 2);
    } else if (packets == most_packets && spent < kTurn / 4) {
        most_packets = std::min(kBatchPackets, most_packets * 2);
    }
}

void Engine::Impl::lose(const AttachedPtr& attached) {
    const IfIndex interface = attached->port->interface();
    std::erase(of(interface), attached);
    attached->detach();
    if (!of(interface).empty()) {
        return;
    }
    log.log(
        clock.now(), LogLevel::Error,
        "nsrouter: device of interface " + router.interfaces().get(interface).name + " is gone");
    if (lost_handler) {
        lost_handler(interface);
    }
    router.set_up(interface, false, clock.now());
}

std::vector<std::unique_ptr<Port>> Engine::Impl::detach_all(IfIndex interface) {
    std::vector<std::unique_ptr<Port>> detached;
    for (const AttachedPtr& attached : of(interface)) {
        detached.push_back(attached->detach());
    }
    of(interface).clear();
    return detached;
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
    if (expire_for_a_turn()) {
        armed.reset();
        arm_timer();
    } else {
        asio::post(loop, [this] { expire(); });
    }
}

// True: nothing is left that is over.
bool Engine::Impl::expire_for_a_turn() {
    const WatchedTurn turn(clock, turns.timers, turns.timers_cpu);
    armed = turn.begin();
    const Instant over = turn.begin() + kTurn;
    bool complete = true;
    try {
        do {
            complete = router.expire(clock.now(), out);
            egress.flush(out);
        } while (!complete && clock.now() < over);
    } catch (const std::exception& failure) {
        abandon(failure);
    }
    return complete;
}

void Engine::Impl::run_posted(std::function<void()>&& work) {
    const WatchedTurn turn(clock, turns.control, turns.control_cpu);
    const std::function<void()> ours = std::move(work);  // ends within the turn
    ours();
}

void Engine::Impl::run_scheduled() {
    const WatchedTurn turn(clock, turns.control, turns.control_cpu);
    const Instant over = turn.begin() + kTurn;
    // Whatever a piece throws, the others have their turn.
    struct Rest {
        Impl& impl;
        ~Rest() {
            if (!impl.scheduled.empty()) {
                asio::post(impl.loop, [engine = &impl] { engine->run_scheduled(); });
            }
        }
    } const rest{*this};
    do {
        const std::function<void()> work = std::move(scheduled.front());
        scheduled.pop_front();
        work();
    } while (!scheduled.empty() && clock.now() < over);
}

// A timer that is armed for an earlier moment stays: waking once too often is cheaper than arming
// it for every batch.
void Engine::Impl::arm_timer() {
    constexpr auto kShortestWait = std::chrono::milliseconds(1);
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
            const WatchedTurn turn(clock, turns.control, turns.control_cpu);
            signal_handler(number);
        }
    });
}

}  // namespace nsr::router
