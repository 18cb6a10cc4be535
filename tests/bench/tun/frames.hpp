// Room for frames, and the system calls that move one; counts of what was moved.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "tests/bench/tun/device.hpp"

namespace bench::tun {

// As the router: a batch of either does not leave the second-level cache.
inline constexpr std::size_t kBatch = 64;
inline constexpr std::size_t kBatchLarge = 4;
inline constexpr std::size_t kLargeBytes = 4096;
inline constexpr std::size_t kVnetHeaderBytes = 10;

struct Layout {
    std::size_t lead = 0;  // where in its slot a frame begins
    bool huge = false;     // pages of 2 MiB
};

class Frames {
  public:
    // A full packet, its headers, and where it begins.
    static constexpr std::size_t kSlotBytes = std::size_t{17} * 4096;

    Frames(std::size_t count, const Layout& layout) : lead_(layout.lead) {
        const std::size_t whole = (count * kSlotBytes / kHugeBytes + 2) * kHugeBytes;
        void* mapped =
            ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) {
            fail("mmap");
        }
        std::size_t room = whole;
        std::align(kHugeBytes, whole - kHugeBytes, mapped, room);
        check("madvise",
              ::madvise(mapped, whole - kHugeBytes, layout.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
        begin_ = static_cast<std::uint8_t*>(mapped);
        std::memset(begin_, 0, count * kSlotBytes);
    }
    Frames(const Frames&) = delete;
    Frames& operator=(const Frames&) = delete;

    [[nodiscard]] std::uint8_t* slot(std::size_t index) const {
        return begin_ + index * kSlotBytes + lead_;
    }
    [[nodiscard]] std::size_t room() const { return kSlotBytes - lead_; }

  private:
    static constexpr std::size_t kHugeBytes = std::size_t{2} << 20;

    std::size_t lead_;
    std::uint8_t* begin_;
};

// Read from outside while one thread adds.
class Count {
  public:
    void add(std::uint64_t much) {
        value_.store(value_.load(std::memory_order_relaxed) + much, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// What was written by one thread.
struct alignas(64) Tally {
    Count frames, bytes, lost;

    void wrote(ssize_t result) {
        if (result < 0) {
            lost.add(1);
        } else {
            frames.add(1);
            bytes.add(static_cast<std::uint64_t>(result));
        }
    }
};

inline ssize_t read_frame(int fd, std::uint8_t* at, std::size_t room) {
    return ::syscall(SYS_read, fd, at, room);
}

inline ssize_t write_frame(int fd, const std::uint8_t* at, std::size_t bytes) {
    return ::syscall(SYS_write, fd, at, bytes);
}

}  // namespace bench::tun
