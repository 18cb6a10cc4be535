// What the benchmarks of a subject have in common: their sizes, and how they are named.
//
// A name is SUBJECT_OPERATION[/WHAT]/ARGUMENT:VALUE.../flows:N. The number of connections comes
// last, so that `flows:1000$` means a thousand and no million.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace nsr::bench {

// `name` is what the function is called, and what it is called with, in words.
#define NSR_BENCHMARK(name, ...) \
    BENCHMARK_PRIVATE_DECLARE(_) = benchmark::RegisterBenchmark(name, __VA_ARGS__)

inline constexpr std::int64_t kSizes[] = {1000, 65'536, 250'000, 1'000'000, 10'000'000};

// Every size, the smallest first.
inline void by_flows(benchmark::internal::Benchmark* one) {
    one->ArgName("flows");
    for (const std::int64_t flows : kSizes) {
        one->Arg(flows);
    }
}

// The same for batches of one packet and of 32.
inline void by_batch_and_flows(benchmark::internal::Benchmark* one) {
    one->ArgNames({"batch", "flows"});
    for (const std::int64_t flows : kSizes) {
        for (const std::int64_t batch : {1, 32}) {
            one->Args({batch, flows});
        }
    }
}

}  // namespace nsr::bench
