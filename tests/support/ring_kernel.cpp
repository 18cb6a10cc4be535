#include "tests/support/ring_kernel.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>

#include "netlink/error.hpp"

namespace nsr::test {
namespace {

using router::FrameRing;

RingKernel* g_kernel = nullptr;

// A look at what a ring shares with the kernel.
class View {
  public:
    View(int ring, std::size_t bytes, std::uint64_t what)
        : bytes_(bytes),
          begin_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
                        static_cast<off_t>(what))) {
        REQUIRE(begin_ != MAP_FAILED);
    }
    ~View() { ::munmap(begin_, bytes_); }
    View(const View&) = delete;
    View& operator=(const View&) = delete;

    template <typename T>
    T* at(std::size_t offset) const {
        return reinterpret_cast<T*>(static_cast<std::uint8_t*>(begin_) + offset);
    }

  private:
    std::size_t bytes_;
    void* begin_;
};

}  // namespace

RingKernel::RingKernel() {
    g_kernel = this;
}

RingKernel::~RingKernel() {
    g_kernel = nullptr;
}

const FrameRing::Calls& RingKernel::calls() {
    static const FrameRing::Calls calls = {set_up, enlist, enter};
    return calls;
}

int RingKernel::set_up(unsigned entries, io_uring_params& params) {
    if (g_kernel->set_up_fails != 0) {
        return -g_kernel->set_up_fails;
    }
    const int ring = FrameRing::kKernel.set_up(entries, params);
    g_kernel->params_ = params;
    return ring;
}

int RingKernel::enlist(int ring, unsigned what, const void* argument, unsigned count) {
    if (g_kernel->restricting_fails != 0 && what == IORING_REGISTER_RESTRICTIONS) {
        return -g_kernel->restricting_fails;
    }
    return FrameRing::kKernel.enlist(ring, what, argument, count);
}

int RingKernel::enter(int ring, unsigned submitted, unsigned awaited) {
    ++g_kernel->entered;
    if (!g_kernel->enter_fails.empty()) {
        const int error = g_kernel->enter_fails.front();
        g_kernel->enter_fails.pop_front();
        return -error;
    }
    g_kernel->change_operations(ring);
    const unsigned taken = std::min(submitted, g_kernel->most_taken);
    const int result = FrameRing::kKernel.enter(ring, taken, std::min(awaited, taken));
    g_kernel->change_results(ring);
    return result;
}

void RingKernel::change_operations(int ring) const {
    if (operation != 0) {
        const View entries(ring, params_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
        for (std::size_t i = 0; i < params_.sq_entries; ++i) {
            entries.at<io_uring_sqe>(0)[i].opcode = static_cast<std::uint8_t>(operation);
        }
    }
}

void RingKernel::change_results(int ring) const {
    const View queue(ring, params_.cq_off.cqes + params_.cq_entries * sizeof(io_uring_cqe),
                     IORING_OFF_CQ_RING);
    const std::uint32_t end = *queue.at<std::uint32_t>(params_.cq_off.tail);
    for (std::uint32_t next = *queue.at<std::uint32_t>(params_.cq_off.head); next != end; ++next) {
        auto& result = queue.at<io_uring_cqe>(params_.cq_off.cqes)[next & (params_.cq_entries - 1)];
        if (const auto wanted = results.find(result.user_data); wanted != results.end()) {
            result.res = wanted->second;
        }
    }
}

bool rings_refused() {
    static const bool refused = [] {
        try {
            const FrameRing ring;
            return false;
        } catch (const SystemError&) {
            return true;
        }
    }();
    return refused;
}

}  // namespace nsr::test
