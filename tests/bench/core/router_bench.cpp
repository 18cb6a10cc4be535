// The whole way of a packet, from the bytes that a device gave to the bytes that a device takes
// (Router::receive), what it costs more when somebody looks on, and the table as text.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>

#include "core/procfs/tree.hpp"
#include "router/observe/hub.hpp"
#include "tests/bench/core/kept_router.hpp"
#include "tests/bench/core/sizes.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;

std::uint32_t flows_of(const benchmark::State& state, std::size_t argument) {
    return static_cast<std::uint32_t>(state.range(argument));
}

// Of established flows, as many of a batch as the router is set to. All packets must leave.
void pass_all(benchmark::State& state, BusyRouter& busy) {
    const std::size_t before = busy.left;
    for (auto _ : state) {
        busy.pass_batch();
    }
    const auto passed = static_cast<std::size_t>(state.iterations()) * busy.batch_size;
    if (busy.left - before != passed) {
        state.SkipWithError("packets were lost");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(passed));
}

// Masquerading and twenty rules, or tracking alone.
void router_receive(benchmark::State& state, RouterFill fill) {
    BusyRouter& busy = busy_router(flows_of(state, 1), fill);
    if (!busy.all_established()) {
        state.SkipWithError("packets were lost while flows were established");
        return;
    }
    busy.batch_size = static_cast<std::size_t>(state.range(0));
    pass_all(state, busy);
    busy.batch_size = kBatch;
    count_memory(state, busy.router);
}
// The whole table in pieces as a reader of the control port gets them.
void router_text(benchmark::State& state) {
    constexpr std::size_t kPiece = 16384;
    BusyRouter& busy = busy_router(flows_of(state, 0), {});
    const procfs::Tree tree({.router = busy.router});
    std::int64_t bytes = 0;
    for (auto _ : state) {
        const auto cursor = tree.open("/proc/net/nf_conntrack");
        std::string piece;
        for (bool more = true; more;) {
            piece.clear();
            more = (*cursor)->read(piece, kPiece, busy.now);
            bytes += static_cast<std::int64_t>(piece.size());
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetBytesProcessed(bytes);
}

// Those of one fill beside each other.
constexpr RouterFill kUdp{.transport = Transport::Udp};
constexpr RouterFill kTcp{.transport = Transport::Tcp};
constexpr RouterFill kUdpTracked{.transport = Transport::Udp, .rules = false};
constexpr RouterFill kTcpTracked{.transport = Transport::Tcp, .rules = false};
constexpr RouterFill kSmallPages{.transport = Transport::Udp, .pages = Pages::Small};
NSR_BENCHMARK("router_receive/udp", router_receive, kUdp)->Apply(by_batch_and_flows);
BENCHMARK(router_text)->Apply(by_flows);
NSR_BENCHMARK("router_receive/tcp", router_receive, kTcp)->Apply(by_batch_and_flows);
NSR_BENCHMARK("router_receive/udp/tracked_only", router_receive, kUdpTracked)
    ->Apply(by_batch_and_flows);
NSR_BENCHMARK("router_receive/tcp/tracked_only", router_receive, kTcpTracked)
    ->Apply(by_batch_and_flows);
NSR_BENCHMARK("router_receive/udp/pages:2M", router_receive, kUdp)
    ->ArgNames({"batch", "flows"})
    ->Args({32, 1000000});
NSR_BENCHMARK("router_receive/udp/pages:4k", router_receive, kSmallPages)
    ->ArgNames({"batch", "flows"})
    ->Args({32, 1000000});

// Routers beside each other, one in each thread, with flows of their own: instances of the core
// share nothing, so that as many cores pass as many times the packets. Time is that of the clock,
// for all of them together.
void router_beside(benchmark::State& state) {
    BusyRouter busy({.flows = flows_of(state, 0)});
    pass_all(state, busy);
}
BENCHMARK(router_beside)
    ->ArgName("flows")
    ->Arg(1000)
    ->Arg(65536)
    ->ThreadRange(1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())))
    ->UseRealTime();

// Rules that the packet does not meet before the one that accepts it: what is known of packets of
// its kind, what the index of a chain skips (more flows than that is known of), and what has to be
// tried one by one.
void router_rules(benchmark::State& state, std::string (*text)(unsigned), std::uint32_t flows) {
    BusyRouter busy({.flows = flows, .rules = text(static_cast<unsigned>(state.range(0)))});
    pass_all(state, busy);
}
std::string one_by_one(unsigned count) {
    std::string text = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n*filter\n";
    for (unsigned i = 0; i < count; ++i) {
        text += "-A FORWARD -m length --length 0:" + std::to_string(1 + i % 20) + " -j DROP\n";
    }
    return text + "COMMIT\n";
}
NSR_BENCHMARK("router_rules/known", router_rules, busy_rules, 1000)
    ->ArgName("rules")
    ->Arg(0)
    ->Arg(20)
    ->Arg(1000);
NSR_BENCHMARK("router_rules/indexed", router_rules, busy_rules, 65536)
    ->ArgName("rules")
    ->Arg(0)
    ->Arg(20)
    ->Arg(1000);
NSR_BENCHMARK("router_rules/one_by_one", router_rules, one_by_one, 1000)
    ->ArgName("rules")
    ->Arg(0)
    ->Arg(20)
    ->Arg(1000);

// The recorder is always on; packets that pass never meet it.
void router_receive_without_recorder(benchmark::State& state) {
    BusyRouter busy({});
    busy.router.resize_recorder(0);
    pass_all(state, busy);
}
BENCHMARK(router_receive_without_recorder);

// `[router] capture_ring` keeps every packet.
void router_receive_with_ring(benchmark::State& state) {
    BusyRouter busy({});
    busy.router.history().resize(std::size_t{4} << 20);
    pass_all(state, busy);
}
BENCHMARK(router_receive_with_ring);

// `nsrouter trace FILTER`, whose reader takes what comes.
void router_receive_traced(benchmark::State& state, const char* filter) {
    BusyRouter busy({});
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
NSR_BENCHMARK("router_receive_traced/a_flow_that_is_silent", router_receive_traced,
              "host 10.99.0.1 and udp port 9");
NSR_BENCHMARK("router_receive_traced/one_flow_of_1000", router_receive_traced,
              "host 10.0.0.7 and udp port 1029");

// Every packet ends at a rule, and the recorder keeps it or not.
void router_receive_refused(benchmark::State& state) {
    BusyRouter busy({});
    busy.router.resize_recorder(static_cast<std::size_t>(state.range(0)));
    busy.refuse_all();
    for (auto _ : state) {
        busy.pass_batch();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(router_receive_refused)->ArgName("records")->Arg(0)->Arg(4096);

}  // namespace
