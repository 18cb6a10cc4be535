// What this machine can do at best, measured in the same run: a line of memory at a random place,
// waited for or asked for ahead; the copy of a packet; and the making of the packets that other
// benchmarks give to a router, which is part of their times. core.py expresses the others in these.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "tests/bench/core/pages.hpp"
#include "tests/bench/core/sizes.hpp"
#include "tests/support/busy_router.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;

// What others do on the machine meanwhile is no limit of it: core.py takes the best.
void best_of(benchmark::internal::Benchmark* one) {
    one->Repetitions(5)->MinTime(0.1);
}

// A random walk through far more lines than the caches hold.
class Lines {
  public:
    explicit Lines(Pages pages)
        : memory_(memory_of(pages)), lines_(static_cast<Line*>(memory_->block(0, 0, kBytes))) {
        for (std::size_t i = 0; i < kLines; ++i) {
            new (&lines_[i]) Line;  // so that each page is there
        }
    }
    [[nodiscard]] const std::uint64_t* next() {
        walk_ = walk_ * 6364136223846793005 + 1442695040888963407;
        return &lines_[walk_ >> (64 - kLinesLog2)].zero;
    }
    // Where the walk leads depends on it, as far as the processor knows.
    void learn(std::uint64_t zero) { walk_ += zero; }

  private:
    struct alignas(64) Line {
        std::uint64_t zero = 0;
    };
    static constexpr unsigned kLinesLog2 = 23;
    static constexpr std::size_t kLines = std::size_t{1} << kLinesLog2;
    static constexpr std::size_t kBytes = kLines * sizeof(Line);

    std::unique_ptr<conntrack::Memory> memory_;
    Line* lines_;
    std::uint64_t walk_ = 1;
};

// Each line must have come before it is known which one is next.
void machine_line_waited(benchmark::State& state, Pages pages) {
    Lines lines(pages);
    for (auto _ : state) {
        lines.learn(*lines.next());
    }
    benchmark::DoNotOptimize(lines.next());
    state.SetItemsProcessed(state.iterations());
}
NSR_BENCHMARK("machine_line_waited/pages:2M", machine_line_waited, Pages::Huge)->Apply(best_of);
NSR_BENCHMARK("machine_line_waited/pages:4k", machine_line_waited, Pages::Small)->Apply(best_of);

// A batch is asked for before the first of it is used.
void machine_line_prefetched(benchmark::State& state, Pages pages) {
    Lines lines(pages);
    std::array<const std::uint64_t*, kBatch> batch{};
    for (auto _ : state) {
        for (const std::uint64_t*& line : batch) {
            line = lines.next();
            __builtin_prefetch(line);
        }
        for (const std::uint64_t* line : batch) {
            lines.learn(*line);
        }
    }
    benchmark::DoNotOptimize(lines.next());
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
NSR_BENCHMARK("machine_line_prefetched/pages:2M", machine_line_prefetched, Pages::Huge)
    ->Apply(best_of);
NSR_BENCHMARK("machine_line_prefetched/pages:4k", machine_line_prefetched, Pages::Small)
    ->Apply(best_of);

// From buffer to buffer of a batch, as a device's driver would.
void machine_copy(benchmark::State& state) {
    const auto bytes = static_cast<std::size_t>(state.range(0));
    std::vector<std::uint8_t> from(bytes * kBatch, 1);
    std::vector<std::uint8_t> to(bytes * kBatch);
    std::size_t at = 0;
    for (auto _ : state) {
        std::memcpy(&to[at * bytes], &from[at * bytes], bytes);
        benchmark::ClobberMemory();
        at = (at + 1) % kBatch;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(machine_copy)->ArgName("bytes")->Arg(92)->Arg(1500)->Arg(65535);

void machine_make_packet(benchmark::State& state, Transport transport) {
    BusyRouter busy({.kind = {.transport = transport}});
    for (auto _ : state) {
        busy.make_batch();
        busy.batch.clear();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
NSR_BENCHMARK("machine_make_packet/udp", machine_make_packet, Transport::Udp);
NSR_BENCHMARK("machine_make_packet/tcp", machine_make_packet, Transport::Tcp);

}  // namespace
