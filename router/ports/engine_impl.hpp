// What an Engine is made of. For its own files alone: includes Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "router/ports/attached.hpp"
#include "router/ports/egress.hpp"
#include "router/ports/engine.hpp"
#include "router/ports/spin.hpp"
#include "router/shards/shard_link.hpp"

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
    void await_mail();
    void drain_mail();
    bool take_mail();
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
    ShardLink* link = nullptr;
    std::unique_ptr<asio::posix::stream_descriptor> bell;
    EgressQueue out;
    Egress egress{router, [this](IfIndex interface) { return port_of(interface); }, ring};
    Spin spin;
    std::deque<std::function<void()>> scheduled;
    Turns turns;
};

}  // namespace nsr::router
