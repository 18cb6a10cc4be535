// The whole way of a packet, and what it costs more when somebody looks on.
#include <benchmark/benchmark.h>

#include "router/observe/hub.hpp"
#include "tests/bench/busy_router.hpp"

namespace {

using namespace nsr;
using bench::BusyRouter;
using bench::kBatch;

void pass_all(benchmark::State& state, BusyRouter& busy) {
    for (auto _ : state) {
        busy.pass_batch();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

void router_receive(benchmark::State& state) {
    const auto flows = static_cast<std::uint32_t>(state.range(0));
    BusyRouter busy(flows);
    if (busy.left != std::size_t{flows} * 2) {
        state.SkipWithError("packets were lost");
    }
    pass_all(state, busy);
}
BENCHMARK(router_receive)->ArgName("flows")->Arg(1000)->Arg(1000000);

// The recorder is always on; packets that pass never meet it.
void router_receive_without_recorder(benchmark::State& state) {
    BusyRouter busy(1000);
    busy.router.resize_recorder(0);
    pass_all(state, busy);
}
BENCHMARK(router_receive_without_recorder);

// `[router] capture_ring` keeps every packet.
void router_receive_with_ring(benchmark::State& state) {
    BusyRouter busy(1000);
    busy.router.history().resize(std::size_t{4} << 20);
    pass_all(state, busy);
}
BENCHMARK(router_receive_with_ring);

// `nsrouter trace FILTER`, whose reader takes what comes.
void router_receive_traced(benchmark::State& state, const char* filter) {
    BusyRouter busy(1000);
    router::Hub hub(busy.router);
    const auto listener = hub.listen({.filter = *router::Filter::parse(filter),
                                      .limits = {.packets_a_second = 100000},
                                      .form = router::text_form(false)});
    std::size_t told = 0;
    for (auto _ : state) {
        busy.pass_batch();
        told += listener->take().size();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
    state.counters["told"] = static_cast<double>(told);
}
BENCHMARK_CAPTURE(router_receive_traced, a_flow_that_is_silent, "host 10.99.0.1 and udp port 9");
BENCHMARK_CAPTURE(router_receive_traced, one_flow_of_1000, "host 10.0.0.7 and udp port 1029");

// Every packet ends at a rule, and the recorder keeps it or not.
void router_receive_refused(benchmark::State& state) {
    BusyRouter busy(1000);
    busy.router.resize_recorder(static_cast<std::size_t>(state.range(0)));
    busy.refuse_all();
    pass_all(state, busy);
}
BENCHMARK(router_receive_refused)->ArgName("records")->Arg(0)->Arg(4096);

}  // namespace
