// The kernel behind a FrameRing, as a test wants it: calls that fail, few reads taken at one go,
// results of its own. One at a time.
#pragma once

#include <deque>
#include <map>

#include "router/ports/frame_ring.hpp"

namespace nsr::test {

class RingKernel {
  public:
    RingKernel();
    ~RingKernel();
    RingKernel(const RingKernel&) = delete;
    RingKernel& operator=(const RingKernel&) = delete;

    [[nodiscard]] static const router::FrameRing::Calls& calls();

    int set_up_fails = 0;  // the errno; 0: it does not
    int restricting_fails = 0;
    std::deque<int> enter_fails;  // the errnos of the next ones
    unsigned most_taken = router::FrameRing::kMost;
    std::map<std::size_t, int> results;  // by place in a run
    int operation = 0;                   // not 0: in the place of each
    std::size_t entered = 0;

  private:
    static int set_up(unsigned entries, io_uring_params& params);
    static int enlist(int ring, unsigned what, const void* argument, unsigned count);
    static int enter(int ring, unsigned submitted, unsigned awaited);
    void change_operations(int ring) const;
    void change_results(int ring) const;

    io_uring_params params_{};
};

// This machine makes none, as in a container that forbids them: what is there to test of one that
// works is not to be seen.
bool rings_refused();

}  // namespace nsr::test
