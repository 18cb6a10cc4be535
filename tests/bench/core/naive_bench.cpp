// The obvious alternative to the connection table: boost::unordered_flat_map from each of the two
// tuples to a record, hashed with the table's own hash. No expiry, no IPv6, no zones.
#include <benchmark/benchmark.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/conntrack/table/tuple_key.hpp"
#include "tests/bench/core/filled_table.hpp"
#include "tests/bench/core/kept.hpp"
#include "tests/bench/core/sizes.hpp"
#include "tests/support/busy_router.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;
using conntrack::Connection;
using conntrack::Tuple;

struct NaiveKey {
    conntrack::StoredTuple ends;
    std::uint8_t protocol = 0;
    friend bool operator==(const NaiveKey& a, const NaiveKey& b) {
        return same(a.ends, b.ends) && a.protocol == b.protocol;
    }
};

struct NaiveHash {
    using is_avalanching = void;  // NOLINT(readability-identifier-naming): Boost's name

    conntrack::TupleHash hash{kTableKey};
    std::size_t operator()(const NaiveKey& key) const {
        return hash({key.ends, Family::Ipv4, key.protocol, 0, nullptr, nullptr});
    }
};

NaiveKey naive_key(const Tuple& tuple) {
    return {conntrack::key_of(tuple, 0).stored, tuple.protocol};
}

struct NaiveTable {
    explicit NaiveTable(std::uint32_t flows) {
        for (std::uint32_t number = 0; number < flows; ++number) {
            add(number);
        }
        packets.reserve(flows);
        for (const std::uint32_t number : shuffled(flows)) {
            const Tuple tuple = tuple_of_flow(number);
            packets.push_back(naive_key((number & 1) != 0 ? reply_of(tuple, true) : tuple));
        }
    }
    void add(std::uint32_t number) {
        const Tuple tuple = tuple_of_flow(number);
        const Tuple reply = reply_of(tuple, true);
        const auto at = static_cast<std::uint32_t>(records.size());
        Connection& record = records.emplace_back();
        record.original = naive_key(tuple).ends;
        record.reply = naive_key(reply).ends;
        index.emplace(naive_key(tuple), at);
        index.emplace(naive_key(reply), at);
    }
    void remove_last(std::uint32_t number) {
        const Tuple tuple = tuple_of_flow(number);
        index.erase(naive_key(tuple));
        index.erase(naive_key(reply_of(tuple, true)));
        records.pop_back();
    }
    void count_memory(benchmark::State& state) const {
        constexpr double kOfSlot = sizeof(std::pair<NaiveKey, std::uint32_t>) + 16.0 / 15;
        const double bytes = kOfSlot * static_cast<double>(index.bucket_count()) +
                             static_cast<double>(sizeof(Connection) * records.capacity());
        state.counters["bytes/conn"] = bytes / static_cast<double>(records.size());
    }

    boost::unordered_flat_map<NaiveKey, std::uint32_t, NaiveHash> index;
    std::vector<Connection> records;
    std::vector<NaiveKey> packets;
};

NaiveTable& naive(const benchmark::State& state) {
    const auto flows = static_cast<std::uint32_t>(state.range(0));
    return kept<NaiveTable>(flows, 0, [&] { return std::make_unique<NaiveTable>(flows); });
}

// Beside table_established/translated/batch:1: a map has no way to ask for lines ahead.
void naive_established(benchmark::State& state) {
    NaiveTable& all = naive(state);
    std::size_t at = 0;
    for (auto _ : state) {
        all.records[all.index.find(all.packets[at])->second].deadline = kDeadline;
        at = at + 1 == all.packets.size() ? 0 : at + 1;
    }
    state.SetItemsProcessed(state.iterations());
    all.count_memory(state);
}
BENCHMARK(naive_established)->Apply(by_flows);

void naive_new_and_delete(benchmark::State& state) {
    NaiveTable& all = naive(state);
    const auto count = static_cast<std::uint32_t>(state.range(0));
    std::uint32_t number = count;
    for (auto _ : state) {
        all.add(number);
        all.remove_last(number);
        number = number == count * 2 ? count : number + 1;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(naive_new_and_delete)->Apply(by_flows);

}  // namespace
