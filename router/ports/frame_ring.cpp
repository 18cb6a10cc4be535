#include "router/ports/frame_ring.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/base/check.hpp"
#include "netlink/error.hpp"

namespace nsr::router {
namespace {

int answer(long result) {
    return result < 0 ? -errno : static_cast<int>(result);
}

int set_up(unsigned entries, io_uring_params& params) {
    return answer(::syscall(SYS_io_uring_setup, entries, &params));
}

int enlist(int ring, unsigned what, const void* argument, unsigned count) {
    return answer(::syscall(SYS_io_uring_register, ring, what, argument, count));
}

int enter(int ring, unsigned submitted, unsigned awaited) {
    return answer(::syscall(SYS_io_uring_enter, ring, submitted, awaited, IORING_ENTER_GETEVENTS,
                            nullptr, 0));
}

// Where an administrator looks who finds that it is not permitted. kernel: io_uring_allowed
constexpr std::string_view kForbidden =
    "Operation not permitted (by kernel.io_uring_disabled, or a seccomp filter of the container)";

int require(const char* attempt, int result) {
    if (result < 0) {
        throw SystemError(attempt, -result);
    }
    return result;
}

std::size_t bytes_of_queues(const io_uring_params& params) {
    const std::size_t submission = params.sq_off.array + params.sq_entries * sizeof(std::uint32_t);
    const std::size_t completion = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
    return std::max(submission, completion);
}

// What may be otherwise the next time.
bool passes(int error) {
    return error == EAGAIN || error == EBUSY || error == ENOMEM;
}

int do_alone(const io_uring_sqe& entry) {
    const long call = entry.opcode == IORING_OP_READ ? SYS_read : SYS_write;
    return answer(::syscall(call, entry.fd, entry.addr, entry.len));
}

}  // namespace

const FrameRing::Calls FrameRing::kKernel = {set_up, enlist, enter};

// --- making it ----------------------------------------------------------------------------------

FrameRing::FrameRing(const Calls& calls)
    : calls_(calls),
      ring_(make(calls, params_)),
      queues_(ring_.get(), bytes_of_queues(params_), IORING_OFF_SQ_RING),
      entries_(ring_.get(), params_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES) {
    for (std::uint32_t i = 0; i < params_.sq_entries; ++i) {
        queues_.word(params_.sq_off.array)[i] = i;
    }
    restrict_and_enable();
    require_devices_that_never_wait();
}

netlink::Descriptor FrameRing::make(const Calls& calls, io_uring_params& params) {
    params.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER;
    const int made = calls.set_up(kMost, params);
    if (made == -EPERM) {
        throw SystemError("make an io_uring", EPERM, kForbidden);
    }
    netlink::Descriptor ring(require("make an io_uring", made));
    if ((params.features & IORING_FEAT_SINGLE_MMAP) == 0) {
        throw SystemError("make an io_uring", ENOSYS);
    }
    return ring;
}

void FrameRing::restrict_and_enable() {
    std::array<io_uring_restriction, 2> only{};
    only[0].opcode = IORING_RESTRICTION_SQE_OP;
    only[0].sqe_op = IORING_OP_READ;
    only[1].opcode = IORING_RESTRICTION_SQE_OP;
    only[1].sqe_op = IORING_OP_WRITE;
    require("restrict an io_uring",
            calls_.enlist(ring_.get(), IORING_REGISTER_RESTRICTIONS, only.data(), only.size()));
    require("enable an io_uring",
            calls_.enlist(ring_.get(), IORING_REGISTER_ENABLE_RINGS, nullptr, 0));
}

// Asked before it is said whether the descriptor is a device yet.
void FrameRing::require_devices_that_never_wait() {
    const netlink::Descriptor no_device(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    std::uint8_t byte = 0;
    read(no_device.get(), {&byte, 1});
    const int result = run().front();
    if (broken_by_ != 0 || result == -EOPNOTSUPP) {
        throw SystemError("read a TUN device by io_uring",
                          broken_by_ != 0 ? broken_by_ : EOPNOTSUPP);
    }
    frames_ = calls_made_ = 0;
}

FrameRing::Shared::Shared(int ring, std::size_t bytes, std::uint64_t what) : bytes_(bytes) {
    void* begin = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                         static_cast<off_t>(what));
    if (begin == MAP_FAILED) {
        throw SystemError("map an io_uring", errno);
    }
    begin_ = static_cast<std::uint8_t*>(begin);
    netlink::check_call("map an io_uring", ::madvise(begin, bytes, MADV_DONTFORK));
}

FrameRing::Shared::~Shared() {
    ::munmap(begin_, bytes_);
}

// --- using it -----------------------------------------------------------------------------------

void FrameRing::read(int from, std::span<std::uint8_t> space) {
    prepare(IORING_OP_READ, from, space.data(), space.size());
}

void FrameRing::write(int to, std::span<const std::uint8_t> frame) {
    prepare(IORING_OP_WRITE, to, frame.data(), frame.size());
}

void FrameRing::prepare(std::uint8_t operation, int device, const std::uint8_t* bytes,
                        std::size_t count) {
    NSR_CHECK(prepared_ < kMost);
    io_uring_sqe& what = entry(prepared_);
    what = {};
    what.opcode = operation;
    what.fd = device;
    what.addr = reinterpret_cast<std::uint64_t>(bytes);
    what.len = static_cast<std::uint32_t>(count);
    what.rw_flags = RWF_NOWAIT;
    what.user_data = prepared_++;
}

io_uring_sqe& FrameRing::entry(std::size_t index) const {
    const std::size_t place = (first_ + index) & (params_.sq_entries - 1);
    return reinterpret_cast<io_uring_sqe*>(entries_.at(0))[place];
}

std::span<const int> FrameRing::run() {
    completed_ = 0;
    const std::size_t submitted = broken_by_ == 0 ? submit(prepared_) : 0;
    await(submitted);
    for (std::size_t alone = submitted; alone < prepared_; ++alone) {
        results_[alone] = do_alone(entry(alone));
    }
    first_ += static_cast<std::uint32_t>(submitted);
    return {results_.data(), std::exchange(prepared_, 0)};
}

// How many of them the kernel took: the first ones. The others are not in its queue any more.
std::size_t FrameRing::submit(std::size_t count) {
    std::atomic_ref tail(*queues_.word(params_.sq_off.tail));
    tail.store(first_ + static_cast<std::uint32_t>(count), std::memory_order_release);
    std::size_t submitted = 0;
    while (submitted < count) {
        const auto left = static_cast<unsigned>(count - submitted);
        const int taken = calls_.enter(ring_.get(), left, left);
        ++calls_made_;
        if (taken > 0) {
            submitted += static_cast<std::size_t>(taken);
        } else if (taken != -EINTR) {
            broken_by_ = passes(-taken) ? 0 : -taken;
            break;
        }
    }
    tail.store(first_ + static_cast<std::uint32_t>(submitted), std::memory_order_release);
    return submitted;
}

// They have been done by now, and it is only taken note of. Were it otherwise, their buffers would
// not be ours yet.
void FrameRing::await(std::size_t count) {
    take_results();
    while (completed_ < count) {
        const int waited = calls_.enter(ring_.get(), 0, static_cast<unsigned>(count - completed_));
        NSR_CHECK(waited >= 0 || waited == -EINTR || passes(-waited));
        take_results();
    }
}

void FrameRing::take_results() {
    const std::atomic_ref tail(*queues_.word(params_.cq_off.tail));
    std::atomic_ref head(*queues_.word(params_.cq_off.head));
    const std::uint32_t mask = *queues_.word(params_.cq_off.ring_mask);
    const auto* results = reinterpret_cast<const io_uring_cqe*>(queues_.at(params_.cq_off.cqes));
    const std::uint32_t end = tail.load(std::memory_order_acquire);
    std::uint32_t next = head.load(std::memory_order_relaxed);
    for (; next != end; ++next, ++completed_) {
        const io_uring_cqe& result = results[next & mask];
        NSR_CHECK(result.user_data < prepared_);
        results_[result.user_data] = result.res;
        frames_ += result.res >= 0 ? 1 : 0;
    }
    head.store(next, std::memory_order_release);
}

}  // namespace nsr::router
