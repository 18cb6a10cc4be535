#include "tests/bench/tun/ring.hpp"

namespace bench::tun {
namespace {

std::uint8_t* map(int fd, std::size_t bytes, off_t what) {
    void* mapped =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
    if (mapped == MAP_FAILED) {
        fail("mmap of io_uring");
    }
    return static_cast<std::uint8_t*>(mapped);
}

std::uint32_t* word(std::uint8_t* base, std::uint32_t offset) {
    return reinterpret_cast<std::uint32_t*>(base + offset);
}

}  // namespace

Uring::Uring(unsigned entries, unsigned flags) : kernel_polls_((flags & IORING_SETUP_SQPOLL) != 0) {
    io_uring_params params{};
    params.flags = flags;
    params.sq_thread_idle = 1;  // ms
    fd_ =
        check("io_uring_setup", static_cast<int>(::syscall(SYS_io_uring_setup, entries, &params)));
    std::uint8_t* submission = map(
        fd_, params.sq_off.array + params.sq_entries * sizeof(std::uint32_t), IORING_OFF_SQ_RING);
    std::uint8_t* completion =
        map(fd_, params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
    entries_ = reinterpret_cast<io_uring_sqe*>(
        map(fd_, params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    done_ = reinterpret_cast<io_uring_cqe*>(completion + params.cq_off.cqes);
    tail_ = word(submission, params.sq_off.tail);
    flags_ = word(submission, params.sq_off.flags);
    mask_ = *word(submission, params.sq_off.ring_mask);
    done_head_ = word(completion, params.cq_off.head);
    done_tail_ = word(completion, params.cq_off.tail);
    done_mask_ = *word(completion, params.cq_off.ring_mask);
    for (std::uint32_t i = 0; i < params.sq_entries; ++i) {
        word(submission, params.sq_off.array)[i] = i;
    }
}

void Uring::add(unsigned code, const void* what, unsigned count) {
    check("io_uring_register",
          static_cast<int>(::syscall(SYS_io_uring_register, fd_, code, what, count)));
}

io_uring_sqe& Uring::next() {
    io_uring_sqe& entry = entries_[prepared_++ & mask_];
    std::memset(&entry, 0, sizeof entry);
    return entry;
}

void Uring::enter(unsigned wait_for) {
    std::atomic_ref(*tail_).store(prepared_, std::memory_order_release);
    unsigned flags = IORING_ENTER_GETEVENTS;
    if (kernel_polls_) {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        const auto state = std::atomic_ref(*flags_).load(std::memory_order_relaxed);
        const bool asleep = (state & IORING_SQ_NEED_WAKEUP) != 0;
        if (!asleep && completed()) {
            return;
        }
        flags |= asleep ? IORING_ENTER_SQ_WAKEUP : 0;
    }
    ::syscall(SYS_io_uring_enter, fd_, prepared_ - submitted_, wait_for, flags, nullptr, 0);
    submitted_ = prepared_;
}

bool Uring::completed() const {
    return std::atomic_ref(*done_tail_).load(std::memory_order_acquire) != *done_head_;
}

BufferGroup::BufferGroup(Uring& uring, std::uint16_t group, std::uint16_t count)
    : mask_(static_cast<std::uint16_t>(count - 1)) {
    void* mapped = ::mmap(nullptr, count * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (mapped == MAP_FAILED) {
        fail("mmap");
    }
    ring_ = static_cast<io_uring_buf_ring*>(mapped);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(ring_);
    registration.ring_entries = count;
    registration.bgid = group;
    uring.add(IORING_REGISTER_PBUF_RING, &registration, 1);
}

void BufferGroup::give(std::uint16_t index, std::uint8_t* at, std::size_t bytes) {
    // Not ring_->bufs: in C++ a flexible array in a union lies elsewhere.
    io_uring_buf& entry = reinterpret_cast<io_uring_buf*>(ring_)[tail_ & mask_];
    entry.addr = reinterpret_cast<std::uint64_t>(at);
    entry.len = static_cast<std::uint32_t>(bytes);
    entry.bid = index;
    ++tail_;
    std::atomic_ref(ring_->tail).store(tail_, std::memory_order_release);
}

}  // namespace bench::tun
