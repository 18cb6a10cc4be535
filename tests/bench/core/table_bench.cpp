// What the connection table costs per operation. Flows are visited in a random order, so a table
// that is larger than the caches shows the latency of memory.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/conntrack/table/table.hpp"
#include "core/conntrack/table/tuple_key.hpp"
#include "tests/bench/core/filled_table.hpp"
#include "tests/bench/core/sizes.hpp"
#include "tests/support/busy_router.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;
using conntrack::Table;
using conntrack::Tuple;

std::uint32_t flows_of(const benchmark::State& state, std::size_t argument) {
    return static_cast<std::uint32_t>(state.range(argument));
}

void count_memory(benchmark::State& state, const Table& table) {
    state.counters["bytes/conn"] =
        static_cast<double>(table.bytes_in_use()) / static_cast<double>(table.size());
}

// A packet of an established flow: find the connection and postpone its deadline.
void one_by_one(Table& table, const Tuple& packet) {
    const auto hit = table.find(packet, 0, 0);
    table[hit->id].deadline = kDeadline;
}

// The same for a batch, each line asked for before the first one is needed.
void together(Table& table, const Tuple* packets, std::vector<Table::Upcoming>& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i] = {table.hash_of(packets[i], 0), false};
    }
    table.prefetch(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto hit = table.find_hashed(packets[i], 0, batch[i].hash, 0);
        table[hit->id].deadline = kDeadline;
    }
}

void established_in(benchmark::State& state, FilledTable& all, std::size_t batch) {
    const std::size_t end = all.packets.size() / batch * batch;
    std::vector<Table::Upcoming> upcoming(batch);
    std::size_t at = 0;
    for (auto _ : state) {
        if (batch == 1) {
            one_by_one(all.table, all.packets[at]);
        } else {
            together(all.table, &all.packets[at], upcoming);
        }
        at = at + batch == end ? 0 : at + batch;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
    count_memory(state, all.table);
}

void table_established(benchmark::State& state, TableFill fill) {
    fill.flows = flows_of(state, 1);
    established_in(state, filled(fill), static_cast<std::size_t>(state.range(0)));
}
constexpr TableFill kPlain{.flows = 0};
constexpr TableFill kTranslated{.flows = 0, .translated = true};
constexpr TableFill kSmallPages{.flows = 0, .pages = Pages::Small};

// A connection comes and another goes.
void table_new_and_delete(benchmark::State& state, TableFill fill) {
    const std::uint32_t count = flows_of(state, 0);
    fill.flows = count;
    Table& table = filled(fill).table;
    std::array<std::optional<ConnId>, 64> recent;
    std::uint32_t number = count;
    for (auto _ : state) {
        std::optional<ConnId>& slot = recent[number % recent.size()];
        if (slot) {
            table.erase(*slot);
        }
        slot = add_flow(table, number, fill.translated);
        number = number == count * 2 ? count : number + 1;
    }
    for (const auto& id : recent) {
        if (id) {
            table.erase(*id);
        }
    }
    state.SetItemsProcessed(state.iterations());
    count_memory(state, table);
}

// Those of one fill beside each other.
NSR_BENCHMARK("table_established/plain", table_established, kPlain)->Apply(by_batch_and_flows);
NSR_BENCHMARK("table_new_and_delete/plain", table_new_and_delete, kPlain)->Apply(by_flows);
NSR_BENCHMARK("table_established/translated", table_established, kTranslated)
    ->Apply(by_batch_and_flows);
NSR_BENCHMARK("table_new_and_delete/translated", table_new_and_delete, kTranslated)
    ->Apply(by_flows);

// What pages of 2 MB bring beside those of 4 KB.
NSR_BENCHMARK("table_established/plain/pages:2M", table_established, kPlain)
    ->ArgNames({"batch", "flows"})
    ->Args({1, 1000000})
    ->Args({32, 1000000});
NSR_BENCHMARK("table_established/plain/pages:4k", table_established, kSmallPages)
    ->ArgNames({"batch", "flows"})
    ->Args({1, 1000000})
    ->Args({32, 1000000});

// From an empty index to a full one, growing on the way.
void table_fill(benchmark::State& state) {
    const std::uint32_t count = flows_of(state, 0);
    for (auto _ : state) {
        Table table(kTableKey, 1, memory_of(Pages::Huge));
        for (std::uint32_t i = 0; i < count; ++i) {
            add_flow(table, i, false);
        }
        count_memory(state, table);
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(table_fill)->ArgName("flows")->Arg(1000000)->Unit(benchmark::kMillisecond);

// All expire at once and are erased.
void table_expire(benchmark::State& state) {
    const std::uint32_t count = flows_of(state, 0);
    for (auto _ : state) {
        state.PauseTiming();
        auto table = std::make_unique<Table>(kTableKey, buckets_for(count), memory_of(Pages::Huge));
        for (std::uint32_t i = 0; i < count; ++i) {
            add_flow(*table, i, false);
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
BENCHMARK(table_expire)->ArgName("flows")->Arg(1000000)->Unit(benchmark::kMillisecond);

// A full table that holds nothing to evict, and one that does.
void table_victim(benchmark::State& state) {
    FilledTable all({.flows = flows_of(state, 1)});
    for (auto id = all.table.next(std::nullopt); id; id = all.table.next(id)) {
        all.table[*id].status |= state.range(0) != 0 ? conntrack::status::kAssured : 0;
    }
    std::uint32_t number = flows_of(state, 1);
    for (auto _ : state) {
        if (const auto id = all.table.victim(0)) {
            all.table.erase(*id);
            add_flow(all.table, number++, false);
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(table_victim)->ArgNames({"assured", "flows"})->Args({0, 65536})->Args({1, 65536});

void table_hash(benchmark::State& state) {
    const conntrack::TupleHash hash(kTableKey);
    Tuple tuple = tuple_of_flow(1);
    for (auto _ : state) {
        ++tuple.source_port;
        benchmark::DoNotOptimize(hash(conntrack::key_of(tuple, 0)));
    }
}
BENCHMARK(table_hash);

// The hash that the table's own takes the place of.
void table_siphash(benchmark::State& state) {
    std::array<std::uint64_t, 2> words{1, 2};
    for (auto _ : state) {
        ++words[0];
        benchmark::DoNotOptimize(siphash13(kTableKey, words.data(), words.size()));
    }
}
BENCHMARK(table_siphash);

}  // namespace
