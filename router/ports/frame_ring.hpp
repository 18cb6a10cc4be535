// FrameRing: many frames from and to devices with one system call, by io_uring.
//
// Theory of operation
//   What a small frame costs is mostly its system call. Reads and writes are prepared, up to kMost,
//   and run() has the kernel do them in that order with one io_uring_enter(2); each has the result
//   that read(2) or write(2) would have. Nothing waits: with RWF_NOWAIT the kernel does each at
//   once or answers EAGAIN (O_NONBLOCK alone would have it wait for the device). So the frames of a
//   device come in the order of its reads, with a hole (EAGAIN) where one came too late for its
//   read, and after run() no buffer is the kernel's. It can do no more than read(2) and write(2):
//   before it is enabled it is restricted to these two, and what makes or changes a ring is
//   forbidden to a running router (daemon/confine.hpp). Only the thread that made it may use it; a
//   copy of the process (daemon/state_copy.hpp) does not have its memory. A kernel, a container or
//   an administrator may refuse it. What the kernel refuses later, having no memory say, is done by
//   read(2) and write(2), in its turn. With an error that would come again the ring is broken, and
//   not to be used any more. kernel: io_submit_sqes; tun_chr_open, whose devices know RWF_NOWAIT
//   since Linux 6.4
#pragma once

#include <linux/io_uring.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "netlink/descriptor.hpp"

namespace nsr::router {

class FrameRing {
  public:
    static constexpr std::size_t kMost = 64;
    // Fewer take a system call each, so that what comes alone is as fast as without.
    static constexpr std::size_t kWorthwhile = 3;

    // The system calls; each answers a negated errno where it fails.
    struct Calls {
        int (*set_up)(unsigned entries, io_uring_params& params);
        int (*enlist)(int ring, unsigned what, const void* argument, unsigned count);
        int (*enter)(int ring, unsigned submitted, unsigned awaited);
    };
    static const Calls kKernel;

    // Throws SystemError where it is refused.
    explicit FrameRing(const Calls& calls = kKernel);

    // Precondition of both: fewer than kMost are prepared. The bytes stay where they are until
    // run().
    void read(int from, std::span<std::uint8_t> space);
    void write(int to, std::span<const std::uint8_t> frame);
    // The results of what was prepared, in that order, until the next run(): a number of bytes or a
    // negated errno.
    std::span<const int> run();

    // The errno that broke it; 0: it works.
    [[nodiscard]] int broken_by() const { return broken_by_; }
    // How many frames it has moved, and with how many system calls.
    [[nodiscard]] std::uint64_t frames() const { return frames_; }
    [[nodiscard]] std::uint64_t calls() const { return calls_made_; }

  private:
    // Memory that is the kernel's, too.
    class Shared {
      public:
        Shared(int ring, std::size_t bytes, std::uint64_t what);
        Shared(const Shared&) = delete;
        Shared& operator=(const Shared&) = delete;
        ~Shared();
        [[nodiscard]] std::uint8_t* at(std::size_t offset) const { return begin_ + offset; }
        [[nodiscard]] std::uint32_t* word(std::size_t offset) const {
            return reinterpret_cast<std::uint32_t*>(at(offset));
        }

      private:
        std::uint8_t* begin_;
        std::size_t bytes_;
    };

    static netlink::Descriptor make(const Calls& calls, io_uring_params& params);
    void restrict_and_enable();
    void require_devices_that_never_wait();
    void prepare(std::uint8_t operation, int device, const std::uint8_t* bytes, std::size_t count);
    [[nodiscard]] io_uring_sqe& entry(std::size_t index) const;
    std::size_t submit(std::size_t count);
    void await(std::size_t count);
    void take_results();

    Calls calls_;
    io_uring_params params_{};
    netlink::Descriptor ring_;
    Shared queues_;
    Shared entries_;
    std::uint32_t first_ = 0;  // of what is prepared, counted from the very first
    std::size_t prepared_ = 0;
    std::size_t completed_ = 0;  // of what was prepared
    std::array<int, kMost> results_{};
    std::uint64_t frames_ = 0;
    std::uint64_t calls_made_ = 0;
    int broken_by_ = 0;
};

}  // namespace nsr::router
