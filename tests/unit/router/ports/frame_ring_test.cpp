// A ring and a pair of sockets that keep frames apart, in the place of a device.
#include "router/ports/frame_ring.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "netlink/error.hpp"
#include "tests/support/ring_kernel.hpp"

namespace nsr::router {
namespace {

using Results = std::vector<int>;

struct Wire {
    Wire() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()) == 0);
        here = netlink::Descriptor(ends[0]);
        there = netlink::Descriptor(ends[1]);
    }
    void send(std::string_view frame) const {
        CHECK(::write(there.get(), frame.data(), frame.size()) ==
              static_cast<ssize_t>(frame.size()));
    }
    [[nodiscard]] std::string receive() const {
        std::array<char, 16> space{};
        const ssize_t count = ::read(there.get(), space.data(), space.size());
        return count < 0 ? "nothing" : std::string(space.data(), static_cast<std::size_t>(count));
    }
    netlink::Descriptor here;
    netlink::Descriptor there;
};

// Where so many frames are read to.
class Reads {
  public:
    Reads(FrameRing& ring, const Wire& wire, std::size_t count) : spaces_(count) {
        for (auto& space : spaces_) {
            ring.read(wire.here.get(), space);
        }
        const auto results = ring.run();
        results_.assign(results.begin(), results.end());
    }
    [[nodiscard]] const Results& results() const { return results_; }
    [[nodiscard]] std::string text() const {
        std::string text;
        for (std::size_t i = 0; i < results_.size(); ++i) {
            text.append(spaces_[i].begin(), spaces_[i].begin() + std::max(results_[i], 0));
        }
        return text;
    }

  private:
    std::vector<std::array<std::uint8_t, 16>> spaces_;
    Results results_;
};

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

int refusal() {
    try {
        const FrameRing ring(test::RingKernel::calls());
    } catch (const SystemError& error) {
        return error.code();
    }
    return 0;
}

}  // namespace

TEST_CASE("frame ring: frames come in the order they were sent, and holes where there were none" *
          doctest::skip(test::rings_refused())) {
    FrameRing ring;
    const Wire wire;
    for (const char* frame : {"a", "bc", "def"}) {
        wire.send(frame);
    }
    const Reads reads(ring, wire, 5);
    CHECK(reads.results() == Results{1, 2, 3, -EAGAIN, -EAGAIN});
    CHECK(reads.text() == "abcdef");
    CHECK(ring.frames() == 3);
    CHECK(ring.calls() == 1);
}

TEST_CASE("frame ring: again and again, with as many as it takes" *
          doctest::skip(test::rings_refused())) {
    FrameRing ring;
    const Wire wire;
    for (int round = 0; round < 5; ++round) {
        for (std::size_t i = 0; i < FrameRing::kMost; ++i) {
            const std::string frame = std::to_string(i) + " ";
            ring.write(wire.here.get(), bytes_of(frame));
            // One by one: the bytes are gone after this.
            CHECK(ring.run().front() == static_cast<int>(frame.size()));
        }
        for (std::size_t i = 0; i < FrameRing::kMost; ++i) {
            CHECK(wire.receive() == std::to_string(i) + " ");
        }
        wire.send("x");
        CHECK(Reads(ring, wire, FrameRing::kMost).text() == "x");
    }
}

TEST_CASE("frame ring: it is done in the order it was asked for" *
          doctest::skip(test::rings_refused())) {
    FrameRing ring;
    const Wire wire;
    std::array<std::uint8_t, 4> space{};
    ring.read(wire.there.get(), space);
    ring.write(wire.here.get(), bytes_of("yes"));
    ring.read(wire.there.get(), space);
    const auto results = ring.run();
    CHECK(Results(results.begin(), results.end()) == Results{-EAGAIN, 3, 3});
    CHECK(space[0] == 'y');
}

TEST_CASE("frame ring: what the kernel refuses is told by its errno") {
    test::RingKernel kernel;
    for (const int error : {ENOSYS, EPERM, EINVAL, ENOMEM}) {
        kernel.set_up_fails = error;
        CHECK(refusal() == error);
    }
    kernel.set_up_fails = 0;
    if (!test::rings_refused()) {
        test::RingKernel old;
        old.restricting_fails = EINVAL;
        CHECK(refusal() == EINVAL);
    }
}

TEST_CASE(
    "frame ring: a kernel whose devices always wait has none, nor has one that lets nobody in" *
    doctest::skip(test::rings_refused())) {
    test::RingKernel kernel;
    kernel.results[0] = -EOPNOTSUPP;
    CHECK(refusal() == EOPNOTSUPP);
    kernel.results.clear();
    kernel.enter_fails = {EPERM};
    CHECK(refusal() == EPERM);
}

TEST_CASE("frame ring: interrupted, it goes on" * doctest::skip(test::rings_refused())) {
    test::RingKernel kernel;
    FrameRing ring(test::RingKernel::calls());
    const Wire wire;
    wire.send("a");
    kernel.enter_fails = {EINTR, EINTR};
    CHECK(Reads(ring, wire, 3).results() == Results{1, -EAGAIN, -EAGAIN});
    CHECK(ring.calls() == 3);
}

TEST_CASE("frame ring: what the kernel does not take now is done without it" *
          doctest::skip(test::rings_refused())) {
    test::RingKernel kernel;
    FrameRing ring(test::RingKernel::calls());
    const Wire wire;
    for (const int error : {EAGAIN, EBUSY, ENOMEM}) {
        wire.send("a");
        wire.send("b");
        kernel.enter_fails = {error};
        const Reads reads(ring, wire, 3);
        CHECK(reads.results() == Results{1, 1, -EAGAIN});
        CHECK(reads.text() == "ab");
        CHECK(ring.broken_by() == 0);
        wire.send("c");
        CHECK(Reads(ring, wire, 3).text() == "c");
    }
}

TEST_CASE("frame ring: an error that would come again breaks it, and nothing is lost" *
          doctest::skip(test::rings_refused())) {
    test::RingKernel kernel;
    FrameRing ring(test::RingKernel::calls());
    const Wire wire;
    wire.send("a");
    kernel.enter_fails = {EBADFD};
    ring.write(wire.here.get(), bytes_of("out"));
    CHECK(ring.run().front() == 3);
    CHECK(wire.receive() == "out");
    CHECK(ring.broken_by() == EBADFD);
    const std::size_t before = kernel.entered;
    CHECK(Reads(ring, wire, 3).text() == "a");
    CHECK(kernel.entered == before);
}

TEST_CASE("frame ring: a kernel that takes some is asked for the others" *
          doctest::skip(test::rings_refused())) {
    test::RingKernel kernel;
    FrameRing ring(test::RingKernel::calls());
    kernel.most_taken = 2;
    const Wire wire;
    for (const char* frame : {"a", "b", "c", "d", "e"}) {
        wire.send(frame);
    }
    CHECK(Reads(ring, wire, 5).text() == "abcde");
    CHECK(ring.calls() == 3);
}

TEST_CASE("frame ring: it can do nothing but read and write" *
          doctest::skip(test::rings_refused())) {
    test::RingKernel kernel;
    FrameRing ring(test::RingKernel::calls());
    const Wire wire;
    for (const int operation : {IORING_OP_OPENAT, IORING_OP_SEND, IORING_OP_SOCKET,
                                IORING_OP_READ_FIXED, IORING_OP_POLL_ADD, IORING_OP_CLOSE}) {
        kernel.operation = operation;
        CHECK(Reads(ring, wire, 1).results() == Results{-EACCES});
    }
}

TEST_CASE("frame ring: another thread cannot use it, nor has a child its memory" *
          doctest::skip(test::rings_refused())) {
    FrameRing ring;
    const auto mapped = [] {
        std::ifstream maps("/proc/self/maps");
        std::string text(std::istreambuf_iterator<char>(maps), {});
        return text.find("io_uring") != std::string::npos;
    };
    CHECK(mapped());
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(mapped() ? 1 : 0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    const Wire wire;
    std::thread([&] { CHECK(Reads(ring, wire, 1).results() == Results{-EAGAIN}); }).join();
    CHECK(ring.broken_by() == EEXIST);
}

}  // namespace nsr::router
