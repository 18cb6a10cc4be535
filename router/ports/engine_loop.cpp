#include "router/ports/engine.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "router/ports/engine_impl.hpp"

namespace nsr::router {

Engine::Engine(Router& router, const SystemClock& clock, LogSink& log)
    : impl_(std::make_unique<Impl>(router, clock, log)) {
}

// The bell is the link's.
Engine::~Engine() {
    if (impl_->bell) {
        impl_->bell->release();
    }
}

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

void Engine::join(ShardLink& link) {
    impl_->link = &link;
    impl_->bell = std::make_unique<asio::posix::stream_descriptor>(impl_->loop, link.bell());
    impl_->await_mail();
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
