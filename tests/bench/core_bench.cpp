// What the connection table costs per operation. Flows are visited in a random order, so a table
// that is larger than the caches shows the latency of memory.
//   cmake -B build-bench -G Ninja -DCMAKE_BUILD_TYPE=Release -DNSR_BENCH=ON
//   ninja -C build-bench core_bench && build-bench/tests/bench/core_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/random.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/conntrack/table/tuple_key.hpp"
#include "core/wire/protocol.hpp"

namespace {

using namespace nsr;
using namespace nsr::conntrack;

constexpr SipKey kKey{0x0123456789abcdef, 0xfedcba9876543210};
constexpr Jiffies kDeadline = 432000 * kJiffiesPerSecond;

// Clients of a /8 talk to a few servers.
Tuple flow(std::uint32_t number) {
    const auto port = static_cast<std::uint16_t>(1024 + number % 50000);
    const IpAddress client = IpAddress::v4(0x0a000002 + number / 50000);
    return {client, IpAddress::v4(198, 51, 100, 7), port, 443, proto::kUdp};
}

Tuple reply_of(const Tuple& tuple, bool translated) {
    Tuple reply = tuple;
    std::swap(reply.source, reply.destination);
    std::swap(reply.source_port, reply.destination_port);
    if (translated) {
        reply.destination.words[0] ^= 0x05000000;
    }
    return reply;
}

ConnId add(Table& table, const Tuple& tuple, bool translated) {
    const ConnId id = table.allocate().value();
    table.set_tuple(id, Direction::Original, tuple);
    table.set_tuple(id, Direction::Reply, reply_of(tuple, translated));
    table[id].deadline = kDeadline;
    table.insert(id, 0);
    return id;
}

struct Filled {
    Filled(std::uint32_t count, bool translated) : table(kKey, count / 4) {
        for (std::uint32_t i = 0; i < count; ++i) {
            add(table, flow(i), translated);
        }
        order.resize(count);
        std::iota(order.begin(), order.end(), 0u);
        RandomSource random(1);
        for (std::uint32_t i = count; i > 1; --i) {
            std::swap(order[i - 1], order[random.below(i)]);
        }
        packets.reserve(count);
        for (const std::uint32_t number : order) {
            const Tuple tuple = flow(number);
            packets.push_back((number & 1) != 0 ? reply_of(tuple, translated) : tuple);
        }
    }

    Table table;
    std::vector<std::uint32_t> order;
    std::vector<Tuple> packets;
};

// Filling millions takes seconds: one at a time is kept between benchmarks.
Filled& filled(std::uint32_t count, bool translated) {
    static std::unique_ptr<Filled> last;
    static std::pair<std::uint32_t, bool> what;
    if (!last || what != std::pair(count, translated)) {
        last.reset();
        last = std::make_unique<Filled>(count, translated);
        what = {count, translated};
    }
    return *last;
}

void count_memory(benchmark::State& state, const Table& table) {
    state.counters["bytes/conn"] =
        static_cast<double>(table.bytes_in_use()) / static_cast<double>(table.size());
}

// Packets of established flows: find the connection and postpone its deadline.
void established(benchmark::State& state) {
    Filled& all = filled(static_cast<std::uint32_t>(state.range(0)), state.range(2) != 0);
    const auto batch = static_cast<std::size_t>(state.range(1));
    const std::size_t end = all.packets.size() / batch * batch;
    std::vector<std::uint64_t> hashes(batch);
    std::size_t at = 0;
    for (auto _ : state) {
        const Tuple* packets = &all.packets[at];
        if (batch > 1) {
            for (std::size_t i = 0; i < batch; ++i) {
                hashes[i] = all.table.hash_of(packets[i], 0);
                all.table.prefetch(hashes[i]);
            }
            for (std::size_t i = 0; i < batch; ++i) {
                all.table.prefetch_record(hashes[i]);
            }
        }
        for (std::size_t i = 0; i < batch; ++i) {
            const auto hit = batch > 1 ? all.table.find_hashed(packets[i], 0, hashes[i], 0)
                                       : all.table.find(packets[i], 0, 0);
            all.table[hit->id].deadline = kDeadline;
        }
        at = at + batch == end ? 0 : at + batch;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
    count_memory(state, all.table);
}
BENCHMARK(established)
    ->ArgNames({"flows", "batch", "nat"})
    ->Args({1000, 1, 0})
    ->Args({1000, 32, 0})
    ->Args({65536, 1, 0})
    ->Args({65536, 32, 0})
    ->Args({1000000, 1, 0})
    ->Args({1000000, 32, 0})
    ->Args({1000000, 1, 1})
    ->Args({1000000, 32, 1});

// A connection comes and another goes.
void insert_and_erase(benchmark::State& state) {
    const bool translated = state.range(1) != 0;
    Filled& all = filled(static_cast<std::uint32_t>(state.range(0)), translated);
    const auto count = static_cast<std::uint32_t>(state.range(0));
    std::array<ConnId, 64> recent;
    recent.fill(ConnId::None);
    std::uint32_t number = count;
    for (auto _ : state) {
        ConnId& slot = recent[number % recent.size()];
        if (slot != ConnId::None) {
            all.table.erase(slot);
        }
        slot = add(all.table, flow(number), translated);
        number = number == count * 2 ? count : number + 1;
    }
    for (const ConnId id : recent) {
        if (id != ConnId::None) {
            all.table.erase(id);
        }
    }
    state.SetItemsProcessed(state.iterations());
    count_memory(state, all.table);
}
BENCHMARK(insert_and_erase)
    ->ArgNames({"flows", "nat"})
    ->Args({1000, 0})
    ->Args({1000, 1})
    ->Args({1000000, 0})
    ->Args({1000000, 1});

// From an empty index to a full one, growing on the way.
void fill(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    for (auto _ : state) {
        Table table(kKey, 1);
        for (std::uint32_t i = 0; i < count; ++i) {
            add(table, flow(i), false);
        }
        count_memory(state, table);
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(fill)->Arg(1000000)->Unit(benchmark::kMillisecond);

// All expire at once and are erased.
void expire(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    for (auto _ : state) {
        state.PauseTiming();
        auto table = std::make_unique<Table>(kKey, count / 4);
        for (std::uint32_t i = 0; i < count; ++i) {
            add(*table, flow(i), false);
        }
        state.ResumeTiming();
        std::vector<ConnId> due;
        for (bool done = false; !done; due.clear()) {
            done = table->collect_expired(kDeadline, 1024, due);
            for (const ConnId id : due) {
                table->erase(id);
            }
        }
        state.PauseTiming();
        table.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(expire)->Arg(1000000)->Unit(benchmark::kMillisecond);

// A full table that holds nothing to evict, and one that does.
void victim(benchmark::State& state) {
    Filled& all = filled(65536, false);
    for (auto id = all.table.next(std::nullopt); id; id = all.table.next(id)) {
        all.table[*id].status |= state.range(0) != 0 ? status::kAssured : 0;
    }
    std::uint32_t number = 65536;
    for (auto _ : state) {
        if (const auto id = all.table.victim(0)) {
            all.table.erase(*id);
            add(all.table, flow(number++), false);
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(victim)->ArgName("assured")->Arg(0)->Arg(1);

void hash_of_a_tuple(benchmark::State& state) {
    const TupleHash hash(kKey);
    Tuple tuple = flow(1);
    for (auto _ : state) {
        ++tuple.source_port;
        benchmark::DoNotOptimize(hash(key_of(tuple, 0)));
    }
}
BENCHMARK(hash_of_a_tuple);

void siphash_of_a_tuple(benchmark::State& state) {
    std::array<std::uint64_t, 2> words{1, 2};
    for (auto _ : state) {
        ++words[0];
        benchmark::DoNotOptimize(siphash13(kKey, words.data(), words.size()));
    }
}
BENCHMARK(siphash_of_a_tuple);

}  // namespace

BENCHMARK_MAIN();
