// The way of the frames of an engine's ports, and of the packets that other shards have read.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "router/ports/engine_impl.hpp"

namespace nsr::router {

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
    const Instant now = clock.now();
    if (link != nullptr) {
        link->hear_claims(router, now);
    }
    if (batch.empty()) {
        return;
    }
    router.receive(batch, now, out);
    batch.clear();
    egress.flush(out);
}

// --- what other shards have read ----------------------------------------------------------------

// The bell is not listened to until there is no more.
void Engine::Impl::await_mail() {
    bell->async_wait(asio::posix::stream_descriptor::wait_read, [this](Error error) {
        if (!error) {
            link->hush();
            drain_mail();
        }
    });
}

void Engine::Impl::drain_mail() {
    bool complete = false;
    try {
        complete = take_mail();
        arm_timer();
    } catch (const std::exception& failure) {
        abandon(failure);
    }
    if (complete) {
        await_mail();
    } else {
        asio::post(loop, [this] { drain_mail(); });
    }
}

// Batches until there are no more, or the turn is over. True: there are no more.
bool Engine::Impl::take_mail() {
    const Instant begin = clock.now();
    Instant before = begin;
    bool complete = false;
    std::size_t taken = 0;
    while (!complete && before < begin + kTurn) {
        complete = link->take(pool, batch, most_packets);
        const std::size_t packets = batch.size();
        taken += packets;
        forward();
        const Instant after = clock.now();
        fit_batch(packets, after - before);
        before = after;
    }
    turns.packets.add(before - begin);
    if (taken != 0) {
        spin.packets(begin, before);
    }
    return complete;
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

}  // namespace nsr::router
