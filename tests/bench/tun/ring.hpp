// io_uring by its system calls: what the ways need of it.
#pragma once

#include <linux/io_uring.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tests/bench/tun/frames.hpp"

namespace bench::tun {

class Uring {
  public:
    Uring(unsigned entries, unsigned flags);
    Uring(const Uring&) = delete;
    Uring& operator=(const Uring&) = delete;

    void add(unsigned code, const void* what, unsigned count);  // io_uring_register
    // Precondition: fewer than `entries` since the last enter().
    io_uring_sqe& next();
    // Submits what was prepared, and returns when there are `wait_for` completions.
    void enter(unsigned wait_for);

    template <typename Take>
    void take_completions(Take take) {
        std::uint32_t head = *done_head_;
        const std::uint32_t tail = std::atomic_ref(*done_tail_).load(std::memory_order_acquire);
        for (; head != tail; ++head) {
            take(done_[head & done_mask_]);
        }
        std::atomic_ref(*done_head_).store(head, std::memory_order_release);
    }

  private:
    [[nodiscard]] bool completed() const;

    int fd_;
    bool kernel_polls_;
    io_uring_sqe* entries_ = nullptr;
    io_uring_cqe* done_ = nullptr;
    std::uint32_t *tail_ = nullptr, *flags_ = nullptr;
    std::uint32_t *done_head_ = nullptr, *done_tail_ = nullptr;
    std::uint32_t mask_ = 0, done_mask_ = 0;
    std::uint32_t prepared_ = 0;  // as many as were ever
    std::uint32_t submitted_ = 0;
};

// Buffers the kernel takes from, for one device.
class BufferGroup {
  public:
    BufferGroup(Uring& uring, std::uint16_t group, std::uint16_t count);
    // It is the kernel's again.
    void give(std::uint16_t index, std::uint8_t* at, std::size_t bytes);

  private:
    io_uring_buf_ring* ring_;
    std::uint16_t mask_;
    std::uint16_t tail_ = 0;
};

}  // namespace bench::tun
