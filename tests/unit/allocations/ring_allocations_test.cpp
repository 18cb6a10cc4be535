// Frames that are read and written by a ring take nothing from the heap, once the vectors have
// grown to what a batch needs.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "netlink/descriptor.hpp"
#include "router/ports/egress.hpp"
#include "tests/unit/allocations/counted_new.hpp"

namespace {

using namespace nsr;

// Two devices in one: what is written to it is what is read from it.
class Loop : public router::Port {
  public:
    explicit Loop(IfIndex interface) : Port(interface) {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()) == 0);
        near_ = netlink::Descriptor(ends[0]);
        far_ = netlink::Descriptor(ends[1]);
    }
    [[nodiscard]] int descriptor() const override { return turned ? far_.get() : near_.get(); }
    [[nodiscard]] routing::LinkCapabilities capabilities() const override { return {}; }
    void set_carrier(bool) override {}
    [[nodiscard]] bool is_device() const override { return true; }

    bool turned = false;

  private:
    ssize_t read_frame(std::span<std::uint8_t> space) override {
        const ssize_t count = ::read(descriptor(), space.data(), space.size());
        return count < 0 ? -errno : count;
    }
    ssize_t write_frame(std::span<const std::uint8_t> frame) override {
        const ssize_t count = ::write(descriptor(), frame.data(), frame.size());
        return count < 0 ? -errno : count;
    }

    netlink::Descriptor near_;
    netlink::Descriptor far_;
};

class SilentLog : public LogSink {
    void log(Instant, LogLevel, std::string_view) override {}
};

// Sends a batch round the loop, again and again.
struct Circle {
    explicit Circle(std::size_t packets) {
        ring.make();
        ring.set(true);
        egress.set_coalescing(false);
        for (std::size_t i = 0; i < packets; ++i) {
            batch.emplace_back(pool).resize(40);
            batch.back().bytes()[0] = 0x45;
        }
    }

    void go_round() {
        loop.turned = false;
        egress.flush(batch);
        loop.turned = true;
        while (loop.read_batch(pool, batch, router::kBatchPackets, ring.get()) ==
               router::Port::ReadEnd::Budget) {
        }
    }

    router::SystemClock clock;
    SilentLog log;
    Router core{Router::Options{}};
    router::OptionalRing ring{clock, log};
    Loop loop{IfIndex{1}};
    BufferPool pool;
    EgressQueue batch;
    router::Egress egress{core, [this](IfIndex) { return &loop; }, ring};
};

}  // namespace

TEST_CASE("allocations: none for frames that a ring reads and writes, or that go without") {
    for (const bool with_ring : {true, false}) {
        Circle circle(40);
        circle.ring.set(with_ring);
        for (int round = 0; round < 4; ++round) {
            circle.go_round();
        }
        const test::AllocationCount count;
        for (int round = 0; round < 100; ++round) {
            circle.go_round();
        }
        CHECK(count.taken().count == 0);
        CHECK(circle.batch.size() == 40);
    }
}
