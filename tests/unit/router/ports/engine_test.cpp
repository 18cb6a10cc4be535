// The event loop with ports in memory: the other end of each is in the test's hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <stdexcept>
#include <string>

#include "router/ports/engine.hpp"
#include "router/ports/memory_port.hpp"
#include "router/ports/spin.hpp"
#include "tests/support/lan_and_wan.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

constexpr IfIndex kLan{1};
constexpr IfIndex kWan{2};

// A router between 10.0.1.0/24 and 192.0.2.0/24 and its loop.
struct Bench {
    explicit Bench(Router::Options options = {}) : router(std::move(options)) {
        test::add_lan_and_wan(router);
    }

    // Joins an interface to a port whose other end is returned.
    std::unique_ptr<MemoryPort> join(IfIndex interface, std::size_t frames = 1024) {
        auto [outside, inside] = MemoryPort::pair(interface, interface, frames);
        engine.add_port(std::move(inside));
        return std::move(outside);
    }

    void send(MemoryPort& from, const test::PacketBuilder& packet) {
        Packet made = packet.packet(pool);
        CHECK(from.write(made).accepted());
    }

    [[nodiscard]] bool logged(std::string_view text) const {
        return std::any_of(log.lines.begin(), log.lines.end(), [&](const std::string& line) {
            return line.find(text) != std::string::npos;
        });
    }

    std::size_t received(MemoryPort& at) {
        std::vector<Packet> batch;
        while (at.read_batch(pool, batch) == nsr::router::Port::ReadEnd::Budget) {
        }
        return batch.size();
    }

    // Runs until `done`, which is asked between any two handlers; false: not within 5 seconds.
    bool run_until(const std::function<bool()>& done) {
        bool in_time = true;
        boost::asio::steady_timer limit(engine.loop(), std::chrono::seconds(5));
        limit.async_wait([&](boost::system::error_code error) {
            if (!error) {
                in_time = false;
                engine.stop();
            }
        });
        std::function<void()> ask = [&] {
            if (done()) {
                engine.stop();
            } else {
                boost::asio::post(engine.loop(), ask);
            }
        };
        boost::asio::post(engine.loop(), ask);
        engine.run();
        engine.loop().restart();
        return in_time;
    }

    BufferPool pool;
    test::LogLines log;
    SystemClock clock;
    Router router;
    Engine engine{router, clock, log};
};

test::PacketBuilder datagram(std::uint16_t id = 1) {
    return test::udp("10.0.1.2:4000", "192.0.2.2:5000").id(id).data("x");
}

// A port that says what its script says, and takes nothing.
class ScriptedPort : public nsr::router::Port {
  public:
    ScriptedPort(IfIndex interface, std::function<ssize_t(std::span<std::uint8_t>)> script)
        : nsr::router::Port(interface),
          wake_(MemoryPort::pair(interface, interface)),
          script_(std::move(script)) {
        BufferPool pool;
        Packet knock = datagram().packet(pool);
        CHECK(wake_.first->write(knock).accepted());
    }
    [[nodiscard]] int descriptor() const override { return wake_.second->descriptor(); }
    [[nodiscard]] routing::LinkCapabilities capabilities() const override { return {}; }
    void set_carrier(bool) override {}
    std::function<void()> on_write = [] {};

  private:
    ssize_t read_frame(std::span<std::uint8_t> space) override { return script_(space); }
    ssize_t write_frame(std::span<const std::uint8_t>) override {
        on_write();
        return -EINVAL;
    }

    MemoryPort::Pair wake_;  // readable for good
    std::function<ssize_t(std::span<std::uint8_t>)> script_;
};

void spin(const SystemClock& clock, Duration time) {
    for (const Instant end = clock.now() + time; clock.now() < end;) {
    }
}

// The datagram as a frame: behind an empty vnet header.
ssize_t put_datagram(std::span<std::uint8_t> space) {
    const std::vector<std::uint8_t> bytes = datagram().bytes();
    std::fill_n(space.begin(), 10, std::uint8_t{0});
    std::copy(bytes.begin(), bytes.end(), space.begin() + 10);
    return static_cast<ssize_t>(bytes.size() + 10);
}

}  // namespace

TEST_CASE("engine: what comes in at one port leaves through the other, however many batches") {
    Bench bench;
    bench.engine.set_coalescing(false);
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan);
    const std::size_t count = 3 * kBatchPackets + 7;
    for (std::size_t i = 0; i < count; ++i) {
        bench.send(*lan, datagram(static_cast<std::uint16_t>(i)));
    }
    std::size_t arrived = 0;
    CHECK(bench.run_until([&] { return (arrived += bench.received(*wan)) == count; }));
    CHECK(bench.received(*lan) == 0);
    CHECK(bench.router.drops().of(DropReason::EgressFailed) == 0);
}

TEST_CASE("engine: a super-packet crosses whole where the other end takes it") {
    Bench bench;
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan);
    bench.router.set_capabilities(kWan, wan->capabilities());
    bench.send(*lan, test::tcp("10.0.1.2:4000", "192.0.2.2:80").ack(1).payload(20000).gso(1448));
    std::vector<Packet> batch;
    CHECK(bench.run_until([&] {
        wan->read_batch(bench.pool, batch);
        return !batch.empty();
    }));
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].offload.gso_size == 1448);
    CHECK(batch[0].size() > 20000);
}

TEST_CASE("engine: small datagrams of a flow leave as one, and each is counted") {
    Bench bench;
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan);
    for (std::uint16_t id = 0; id < 5; ++id) {
        bench.send(*lan, datagram(id));
    }
    std::vector<Packet> batch;
    CHECK(bench.run_until([&] {
        wan->read_batch(bench.pool, batch);
        return !batch.empty();
    }));
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].offload.gso == Gso::Udp);
    CHECK(batch[0].size() == 28 + 5);
    CHECK(bench.router.interfaces().get(kWan).counters.tx_packets == 5);
    CHECK(bench.router.interfaces().get(kWan).counters.tx_bytes == 5 * 29);
    CHECK(bench.engine.ports(kWan).at(0)->counters().merged_packets == 5);
}

TEST_CASE("engine: a super-packet that a port refuses is as many packets lost as it was made of") {
    Bench bench;
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan, 0);
    for (std::uint16_t id = 0; id < 5; ++id) {
        bench.send(*lan, datagram(id));
    }
    CHECK(
        bench.run_until([&] { return bench.router.drops().of(DropReason::EgressQueueFull) == 5; }));
    CHECK(bench.router.interfaces().get(kWan).counters.tx_dropped == 5);
    CHECK(bench.engine.ports(kWan).at(0)->counters().failed_writes == 5);
    CHECK(bench.engine.ports(kWan).at(0)->counters().merged_packets == 0);
}

TEST_CASE("engine: without coalescing each packet is a write") {
    Bench bench;
    bench.engine.set_coalescing(false);
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan);
    bench.send(*lan, datagram(1));
    bench.send(*lan, datagram(2));
    std::size_t arrived = 0;
    CHECK(bench.run_until([&] { return (arrived += bench.received(*wan)) == 2; }));
}

TEST_CASE("engine: however it waits, packets and timers have their turn, and it ends when told") {
    for (const Duration longest :
         {Duration{}, Duration{std::chrono::microseconds(50)}, Spin::kBusy}) {
        Bench bench;
        bench.engine.set_spin(longest);
        const auto lan = bench.join(kLan);
        const auto wan = bench.join(kWan);
        std::size_t arrived = 0;
        boost::asio::steady_timer timer(bench.engine.loop());
        std::function<void()> send_later = [&] {
            timer.expires_after(std::chrono::milliseconds(1));
            timer.async_wait([&](boost::system::error_code) {
                arrived += bench.received(*wan);
                if (arrived == 3) {
                    return bench.engine.stop();
                }
                bench.send(*lan, datagram());
                send_later();
            });
        };
        send_later();
        bench.engine.run();
        CHECK(arrived == 3);
        const router::Spin& spins = bench.engine.spin();
        const auto ended = spins.ended(SpinEnd::Packets) + spins.ended(SpinEnd::Timeout) +
                           spins.ended(SpinEnd::GaveWay);
        CHECK((ended != 0) == (longest == Duration{std::chrono::microseconds(50)}));
    }
}

TEST_CASE("engine: a port that always has more lets the others and the timers have their turn") {
    Bench bench;
    const auto wan = bench.join(kWan, 1u << 20);
    std::size_t given = 0;
    constexpr std::size_t kEnough = 200 * kBatchPackets;
    bench.engine.add_port(std::make_unique<ScriptedPort>(kLan, [&](std::span<std::uint8_t> space) {
        return ++given < kEnough ? put_datagram(space) : ssize_t{-EAGAIN};
    }));
    std::size_t at_first_turn = 0;
    boost::asio::steady_timer timer(bench.engine.loop(), std::chrono::seconds(0));
    timer.async_wait([&](boost::system::error_code) { at_first_turn = given; });
    CHECK(bench.run_until([&] { return at_first_turn != 0 || given >= kEnough; }));
    CHECK(at_first_turn < kEnough);
}

TEST_CASE("engine: dear packets come in smaller batches, so that others have their turn") {
    Bench bench;
    std::size_t given = 0;
    bench.engine.add_port(std::make_unique<ScriptedPort>(kLan, [&](std::span<std::uint8_t> space) {
        ++given;
        return put_datagram(space);
    }));
    auto slow = std::make_unique<ScriptedPort>(
        kWan, [&](std::span<std::uint8_t>) { return ssize_t{-EAGAIN}; });
    slow->on_write = [&] { spin(bench.clock, Engine::kTurn * 2); };
    bench.engine.add_port(std::move(slow));
    // After the first batches only one packet fits into a turn.
    std::vector<std::size_t> at_turn;
    std::function<void()> ask = [&] {
        at_turn.push_back(given);
        boost::asio::post(bench.engine.loop(), ask);
    };
    boost::asio::post(bench.engine.loop(), ask);
    CHECK(bench.run_until([&] { return at_turn.size() == 40; }));
    CHECK(at_turn[39] - at_turn[29] <= 20);
}

TEST_CASE("engine: work that is scheduled shares one turn, and packets have theirs") {
    Bench bench;
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan);
    bench.send(*lan, datagram());
    std::vector<bool> forwarded;
    for (int piece = 0; piece < 5; ++piece) {
        bench.engine.schedule([&] {
            forwarded.push_back(bench.received(*wan) != 0);
            spin(bench.clock, Engine::kTurn);
        });
    }
    CHECK(bench.run_until([&] { return forwarded.size() == 5; }));
    CHECK(std::find(forwarded.begin(), forwarded.begin() + 4, true) != forwarded.begin() + 4);
}

TEST_CASE("engine: a piece of work that throws does not take the others with it") {
    Bench bench;
    int done = 0;
    bench.engine.schedule([] { throw std::runtime_error("no memory"); });
    bench.engine.schedule([&] { ++done; });
    CHECK(bench.run_until([&] { return done == 1; }));
    CHECK(bench.logged("no memory"));
}

TEST_CASE("engine: a frame that a port refuses is lost, and counted with its reason") {
    Bench bench;
    bench.engine.set_coalescing(false);
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan, 2);
    for (std::uint16_t i = 0; i < 5; ++i) {
        bench.send(*lan, datagram(i));
    }
    CHECK(
        bench.run_until([&] { return bench.router.drops().of(DropReason::EgressQueueFull) == 3; }));
    CHECK(bench.received(*wan) == 2);
    CHECK(bench.router.interfaces().get(kWan).counters.tx_dropped == 3);
    CHECK(bench.engine.ports(kWan).at(0)->counters().failed_writes == 3);
}

TEST_CASE("engine: an interface without a port loses what would leave through it") {
    Bench bench;
    const auto lan = bench.join(kLan);
    bench.send(*lan, datagram());
    CHECK(bench.run_until([&] { return bench.router.drops().of(DropReason::InterfaceDown) == 1; }));
}

TEST_CASE("engine: a frame that is no packet is counted with its reason, and the port goes on") {
    Bench bench;
    int turn = 0;
    bench.engine.add_port(std::make_unique<ScriptedPort>(
        kWan, [&](std::span<std::uint8_t>) { return ssize_t{-EAGAIN}; }));
    bench.engine.add_port(std::make_unique<ScriptedPort>(kLan, [&](std::span<std::uint8_t> space) {
        switch (++turn) {
            case 1:
                return ssize_t{5};  // less than a vnet header
            case 2: {
                const ssize_t bytes = put_datagram(space);
                space[1] = 0x7f;  // no such kind of super-packet
                return bytes;
            }
            case 3:
                return put_datagram(space);
            default:
                return ssize_t{-EAGAIN};
        }
    }));
    const DropCounters& drops = bench.router.drops();
    CHECK(bench.run_until([&] { return drops.of(DropReason::EgressFailed) == 1; }));
    CHECK(drops.of(DropReason::TooShort) == 1);
    CHECK(drops.of(DropReason::BadOffload) == 1);
    CHECK(bench.router.interfaces().get(kLan).counters.rx_dropped == 2);
}

TEST_CASE("engine: a port whose other end is gone takes its interface down, the others go on") {
    Bench bench;
    const auto lan = bench.join(kLan);
    auto wan = bench.join(kWan);
    std::vector<IfIndex> lost;
    bench.engine.on_lost([&](IfIndex interface) { lost.push_back(interface); });
    wan.reset();
    CHECK(bench.run_until([&] { return !lost.empty(); }));
    CHECK(lost == std::vector{kWan});
    CHECK_FALSE(bench.router.interfaces().get(kWan).up);
    CHECK(bench.logged("interface wan is gone"));
    CHECK(bench.engine.ports(kWan).empty());
    bench.send(*lan, datagram());
    CHECK(bench.run_until([&] { return bench.received(*lan) == 1; }));  // the error, to its sender
}

TEST_CASE("engine: with a port left an interface stays up") {
    Bench bench;
    auto first = bench.join(kWan);
    const auto second = bench.join(kWan);
    first.reset();
    CHECK(bench.run_until([&] { return bench.engine.ports(kWan).size() == 1; }));
    CHECK(bench.router.interfaces().get(kWan).up);
}

TEST_CASE("engine: a port comes and goes while the loop runs") {
    Bench bench;
    const auto lan = bench.join(kLan);
    auto wan = bench.join(kWan);
    bench.engine.remove_ports(kWan);
    CHECK(bench.router.interfaces().get(kWan).up);
    wan = bench.join(kWan);
    bench.send(*lan, datagram());
    CHECK(bench.run_until([&] { return bench.received(*wan) == 1; }));
}

TEST_CASE("engine: an exception costs the batch at hand, is logged, and the port goes on") {
    Bench bench;
    const auto wan = bench.join(kWan);
    int turn = 0;
    bench.engine.add_port(std::make_unique<ScriptedPort>(kLan, [&](std::span<std::uint8_t> space) {
        ++turn;
        if (turn == 2) {
            throw std::runtime_error("out of everything");
        }
        return turn < 5 ? put_datagram(space) : ssize_t{-EAGAIN};
    }));
    std::size_t arrived = 0;
    CHECK(bench.run_until([&] { return (arrived += bench.received(*wan)) == 2; }));
    CHECK(bench.logged("gave up: out of everything"));
}

TEST_CASE("engine: the timer runs what the core has a deadline for") {
    Router::Options options;
    options.settings.conntrack.timeouts.udp = 1;  // second
    Bench bench(std::move(options));
    CHECK(bench.router.set_tracking(TrackingMode::On, bench.clock.now()));
    const auto lan = bench.join(kLan);
    const auto wan = bench.join(kWan);
    bench.send(*lan, datagram());
    CHECK(bench.run_until([&] { return bench.router.conntrack().table().size() == 1; }));
    CHECK(bench.run_until([&] { return bench.router.conntrack().table().size() == 0; }));
}

TEST_CASE("engine: a carrier is that of every port of the interface") {
    Bench bench;
    auto [outside, inside] = MemoryPort::pair(kLan, kLan);
    const MemoryPort& port = *inside;
    bench.engine.add_port(std::move(inside));
    bench.engine.set_carrier(kLan, false);
    CHECK_FALSE(port.carrier());
}
