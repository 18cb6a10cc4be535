// Ports of devices with a ring, and the engine with such ports: batches grow with what there is,
// the order stays, and a device that fails is treated as it is without a ring.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <numeric>

#include "router/ports/engine.hpp"
#include "router/ports/memory_port.hpp"
#include "tests/support/lan_and_wan.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/ring_kernel.hpp"

namespace nsr::router {
namespace {

using Numbers = std::vector<std::size_t>;

constexpr IfIndex kLan{1};
constexpr IfIndex kWan{2};

struct Ends {
    Ends() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()) == 0);
        device = netlink::Descriptor(ends[0]);
        other = netlink::Descriptor(ends[1]);
    }
    netlink::Descriptor device;
    netlink::Descriptor other;
};

// A device as far as reading and writing go; `other` is its other end.
class DevicePort : public Port {
  public:
    explicit DevicePort(IfIndex interface) : Port(interface) {}

    [[nodiscard]] int descriptor() const override { return ends_.device.get(); }
    [[nodiscard]] routing::LinkCapabilities capabilities() const override { return {}; }
    void set_carrier(bool) override {}
    [[nodiscard]] bool is_device() const override { return true; }
    [[nodiscard]] int other() const { return ends_.other.get(); }

    // A datagram that has `number` in the IPv4 header.
    void arrive(std::size_t number, std::size_t payload = 1) const {
        std::vector<std::uint8_t> frame(kVnetHeaderBytes);
        const auto packet = test::udp("10.0.1.2:4000", "192.0.2.2:5000")
                                .id(static_cast<std::uint16_t>(number))
                                .payload(payload)
                                .bytes();
        frame.insert(frame.end(), packet.begin(), packet.end());
        REQUIRE(::write(other(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
    }
    // The numbers of those that left.
    [[nodiscard]] Numbers left() const {
        Numbers numbers;
        std::array<std::uint8_t, 100> frame{};
        while (::read(other(), frame.data(), frame.size()) > 0) {
            numbers.push_back(frame[14] * 256u + frame[15]);
        }
        return numbers;
    }

    std::size_t read_in_turn = 0;

  private:
    static constexpr std::size_t kVnetHeaderBytes = 10;

    ssize_t read_frame(std::span<std::uint8_t> space) override {
        ++read_in_turn;
        const ssize_t count = ::read(descriptor(), space.data(), space.size());
        return count < 0 ? -errno : count;
    }
    ssize_t write_frame(std::span<const std::uint8_t> frame) override {
        const ssize_t count = ::write(descriptor(), frame.data(), frame.size());
        return count < 0 ? -errno : count;
    }

    Ends ends_;
};

Numbers numbers_of(const std::vector<Packet>& batch) {
    Numbers numbers;
    for (const Packet& packet : batch) {
        numbers.push_back(packet.data()[4] * 256u + packet.data()[5]);
    }
    return numbers;
}

Numbers from_zero(std::size_t count) {
    Numbers numbers(count);
    std::iota(numbers.begin(), numbers.end(), std::size_t{0});
    return numbers;
}

// A device whose batches are read by a ring.
struct Reading {
    Port::ReadEnd read() { return port.read_batch(pool, batch, kBatchPackets, ring.get()); }
    // Until as many are expected as fit into a batch.
    void grow() {
        for (std::size_t arrived = 1; arrived < kBatchPackets; arrived *= 2) {
            for (std::size_t i = 0; i < arrived; ++i) {
                port.arrive(i);
            }
            read();
        }
        batch.clear();
    }

    test::RingKernel kernel;
    std::unique_ptr<FrameRing> ring = std::make_unique<FrameRing>(test::RingKernel::calls());
    DevicePort port{kLan};
    BufferPool pool;
    std::vector<Packet> batch;
};

// Between a LAN in memory and a device.
struct DeviceBench {
    DeviceBench() {
        test::add_lan_and_wan(router);
        auto [outside, inside] = MemoryPort::pair(kLan, kLan);
        lan = std::move(outside);
        engine.add_port(std::move(inside));
        auto device = std::make_unique<DevicePort>(kWan);
        wan = device.get();
        engine.add_port(std::move(device));
        engine.set_coalescing(false);
        engine.ring().make(test::RingKernel::calls());
        engine.ring().set(true);
    }

    void forward(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            Packet packet = test::udp("10.0.1.2:4000", "192.0.2.2:5000")
                                .id(static_cast<std::uint16_t>(i))
                                .data("x")
                                .packet(pool);
            CHECK(lan->write(packet).accepted());
        }
        engine.loop().restart();
        engine.loop().poll();
    }

    BufferPool pool;
    test::LogLines log;
    SystemClock clock;
    Router router{Router::Options{}};
    test::RingKernel kernel;
    Engine engine{router, clock, log};
    std::unique_ptr<MemoryPort> lan;
    DevicePort* wan = nullptr;
};

}  // namespace

// Where the kernel refuses rings (a container's seccomp) there is none to be used.
TEST_CASE("device ring: packets that come alone are read as they are without a ring" *
          doctest::skip(test::rings_refused())) {
    Reading reading;
    for (std::size_t packet = 0; packet < 3; ++packet) {
        reading.port.arrive(packet);
        while (reading.read() == Port::ReadEnd::Budget) {
        }
    }
    CHECK(numbers_of(reading.batch) == from_zero(3));
    CHECK(reading.ring->calls() == 0);
}

TEST_CASE("device ring: batches grow to what there is, and no packet overtakes another" *
          doctest::skip(test::rings_refused())) {
    Reading reading;
    for (std::size_t packet = 0; packet < 150; ++packet) {
        reading.port.arrive(packet);
    }
    Numbers sizes;
    auto end = Port::ReadEnd::Budget;
    for (std::size_t before = 0; end == Port::ReadEnd::Budget; before = reading.batch.size()) {
        end = reading.read();
        sizes.push_back(reading.batch.size() - before);
    }
    CHECK(end == Port::ReadEnd::Drained);
    CHECK(sizes == Numbers{1, 2, 4, 8, 16, 32, 64, 23});
    CHECK(numbers_of(reading.batch) == from_zero(150));
    CHECK(reading.ring->calls() == 6);
    CHECK(reading.port.read_in_turn == 3);
}

TEST_CASE("device ring: buffers that were not filled are there for the next batch" *
          doctest::skip(test::rings_refused())) {
    Reading reading;
    reading.grow();
    const std::size_t idle = reading.pool.idle();
    CHECK(reading.read() == Port::ReadEnd::Drained);
    CHECK(reading.batch.empty());
    CHECK(std::max(idle, kBatchPackets) == reading.pool.idle());
}

TEST_CASE("device ring: few large frames make a batch" * doctest::skip(test::rings_refused())) {
    Reading reading;
    reading.grow();
    for (std::size_t packet = 0; packet < 9; ++packet) {
        reading.port.arrive(packet, 5000);
    }
    const auto full_batches = [&] {
        Numbers sizes;
        std::size_t before = reading.batch.size();
        while (reading.read() == Port::ReadEnd::Budget) {
            sizes.push_back(reading.batch.size() - before);
            before = reading.batch.size();
        }
        return sizes;
    };
    CHECK(full_batches().empty());  // the first batch did not know, and took them all
    CHECK(reading.batch.size() == 9);
    for (std::size_t packet = 9; packet < 18; ++packet) {
        reading.port.arrive(packet, 5000);
    }
    reading.batch.clear();
    CHECK(full_batches() == Numbers{4, 4});
    CHECK(reading.batch.size() == 9);
}

TEST_CASE("device ring: a frame that is no packet is counted, and the others keep their order" *
          doctest::skip(test::rings_refused())) {
    Reading reading;
    reading.grow();
    reading.port.arrive(0);
    CHECK(::write(reading.port.other(), "short", 5) == 5);
    reading.port.arrive(1);
    CHECK(reading.read() == Port::ReadEnd::Drained);
    CHECK(numbers_of(reading.batch) == from_zero(2));
    CHECK(reading.port.refused().size() == 1);
    CHECK(reading.port.refused().front() == DropReason::TooShort);
    CHECK(reading.port.counters().malformed_frames == 1);
}

TEST_CASE("device ring: a hole in a batch is no end of it, an end is" *
          doctest::skip(test::rings_refused())) {
    struct Case {
        int result;
        Port::ReadEnd end;
    };
    for (const auto& [result, end] :
         {Case{-EAGAIN, Port::ReadEnd::Drained}, Case{-EINTR, Port::ReadEnd::Budget},
          Case{-EIO, Port::ReadEnd::Down}, Case{-EBADFD, Port::ReadEnd::Gone},
          Case{-ENODEV, Port::ReadEnd::Gone}}) {
        Reading reading;
        reading.grow();
        reading.port.arrive(0);
        reading.port.arrive(1);
        for (std::size_t place = 2; place < kBatchPackets; ++place) {
            reading.kernel.results[place] = result;
        }
        CHECK(reading.read() == end);
        CHECK(numbers_of(reading.batch) == from_zero(2));
    }
    Reading reading;
    reading.grow();
    for (std::size_t packet = 0; packet < kBatchPackets; ++packet) {
        reading.port.arrive(packet);
    }
    reading.kernel.results[0] = -EAGAIN;
    CHECK(reading.read() == Port::ReadEnd::Budget);
    Numbers expected = from_zero(kBatchPackets);
    expected.erase(expected.begin());
    CHECK(numbers_of(reading.batch) == expected);
}

TEST_CASE("device ring: what leaves together is written with one system call, in its order" *
          doctest::skip(test::rings_refused())) {
    DeviceBench bench;
    bench.forward(kBatchPackets);
    CHECK(bench.wan->left() == from_zero(kBatchPackets));
    const OptionalRing::State state = bench.engine.ring().state();
    CHECK(state.in_use);
    CHECK(state.frames == kBatchPackets);
    CHECK(state.calls == 1);
    bench.forward(FrameRing::kWorthwhile - 1);
    CHECK(bench.wan->left() == from_zero(FrameRing::kWorthwhile - 1));
    CHECK(bench.engine.ring().state().calls == 1);
    bench.engine.ring().set(false);
    bench.forward(10);
    CHECK(bench.wan->left() == from_zero(10));
    CHECK_FALSE(bench.engine.ring().state().in_use);
    CHECK(bench.engine.ring().state().calls == 1);
}

TEST_CASE("device ring: what a device does not take is lost with its reason, the others are not" *
          doctest::skip(test::rings_refused())) {
    DeviceBench bench;
    bench.kernel.results = {{1, -EAGAIN}, {2, -ENOBUFS}, {3, -EIO}, {4, -EBADFD}, {5, -EINVAL}};
    bench.forward(10);
    CHECK(bench.router.drops().of(DropReason::EgressQueueFull) == 2);
    CHECK(bench.router.drops().of(DropReason::InterfaceDown) == 2);
    CHECK(bench.router.drops().of(DropReason::EgressFailed) == 1);
    CHECK(bench.wan->counters().failed_writes == 5);
    CHECK(bench.router.interfaces().get(kWan).counters.tx_dropped == 5);
}

TEST_CASE("device ring: a ring that breaks is given up and told once, and packets go on" *
          doctest::skip(test::rings_refused())) {
    DeviceBench bench;
    bench.kernel.enter_fails = {EINVAL};
    bench.forward(10);
    CHECK(bench.wan->left() == from_zero(10));
    CHECK(bench.engine.ring().get() == nullptr);
    CHECK(bench.engine.ring().state().refused == "use an io_uring: Invalid argument");
    bench.forward(10);
    CHECK(bench.wan->left() == from_zero(10));
    CHECK(bench.log.lines ==
          std::vector<std::string>{"nsrouter: a system call for each frame: use an io_uring: "
                                   "Invalid argument"});
}

TEST_CASE("device ring: where the kernel refuses one, it is told once, and packets go on") {
    DeviceBench bench;
    bench.kernel.set_up_fails = EPERM;
    bench.log.lines.clear();
    OptionalRing ring(bench.clock, bench.log);
    ring.make(test::RingKernel::calls());
    ring.set(false);
    CHECK(ring.state().refused == "");
    CHECK(bench.log.lines.empty());
    for (int reload = 0; reload < 2; ++reload) {
        ring.set(true);
        CHECK(ring.get() == nullptr);
        CHECK_FALSE(ring.state().in_use);
        CHECK(ring.state().refused ==
              "make an io_uring: Operation not permitted (by kernel.io_uring_disabled, or a "
              "seccomp filter of the container)");
        CHECK(bench.log.lines.size() == 1);
    }
}

}  // namespace nsr::router
