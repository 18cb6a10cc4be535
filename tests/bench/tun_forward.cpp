// Forwards between a TUN device of one namespace and one of another, and does nothing to packets.
//
//   tun_forward WAY CLIENT-NETNS SERVER-NETNS [LEAD [huge]]   makes tun0 in both, says "ready",
//   goes
//                                                             on until SIGTERM, says what it moved
//   tun_forward probe                                         what the kernel takes
//   tun_forward costs NETNS [napi]                            what a frame costs; see costs.hpp
//
// LEAD: where a frame begins, in bytes behind a page. huge: the pages are of 2 MiB.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/tun/costs.hpp"
#include "tests/bench/tun/probe.hpp"
#include "tests/bench/tun/ways.hpp"

namespace {

using namespace bench::tun;

struct Way {
    std::string_view name;
    DeviceKind kind;
    void (*run)(Link&);
};

const Way kWays[] = {
    {"plain", {}, forward_plain},
    {"single", {}, forward_single},
    {"busy", {}, forward_busy},
    {"merged", {}, forward_merged},
    {"napi", {.napi = true}, forward_plain},
    {"tap", {.ethernet = true}, forward_plain},
    {"fragments", {.ethernet = true, .napi = true, .fragments = true}, forward_pieces},
    {"queues", {.queues = 2}, forward_queues},
    {"split", {}, forward_split},
    {"uring", {}, forward_uring},
    {"uring-merged", {}, forward_uring_merged},
    {"multishot-merged", {.blocking = true}, forward_multishot_merged},
    {"multishot", {.blocking = true}, forward_multishot},
    {"sqpoll", {.blocking = true}, forward_sqpoll},
};

// Where a signal finds what it is to tell.
Link link;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void tell_and_end(int /*signal*/) {
    double frames = 0;
    double bytes = 0;
    double lost = 0;
    for (const Tally& tally : link.tallies) {
        frames += static_cast<double>(tally.frames.value());
        bytes += static_cast<double>(tally.bytes.value());
        lost += static_cast<double>(tally.lost.value());
    }
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const double spent = seconds(used.ru_utime) + seconds(used.ru_stime);
    std::printf("%.0f frames of %.0f bytes, %.0f lost, %.0f ns each, %.1f ms/Gbit\n", frames,
                bytes / frames, lost, spent / frames * 1e9, spent * 1e3 / (bytes * 8 / 1e9));
    std::fflush(stdout);
    std::_Exit(0);
}

void forward(const Way& way, char** words, int count) {
    link.layout.lead = count > 4 ? static_cast<std::size_t>(std::atoi(words[4])) : 0;
    link.layout.huge = count > 5;
    link.client = open_device(words[2], way.kind);
    link.server = open_device(words[3], way.kind);
    std::signal(SIGTERM, tell_and_end);
    std::puts("ready");
    std::fflush(stdout);
    way.run(link);
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "probe") {
        probe();
        return 0;
    }
    if (what == "costs" && count >= 3) {
        print_costs(words[2], count > 3);
        return 0;
    }
    for (const Way& way : kWays) {
        if (what == way.name && count >= 4) {
            forward(way, words, count);
        }
    }
    std::fputs("see the beginning of tun_forward.cpp\n", stderr);
    return 1;
}
