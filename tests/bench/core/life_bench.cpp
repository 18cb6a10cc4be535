// Connections that come and go, through the whole router: what a new one costs among N others, the
// end of them all, and what it costs when somebody listens to events meanwhile.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "router/tools/conntrack/event_record.hpp"
#include "tests/bench/core/kept_router.hpp"
#include "tests/bench/core/sizes.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;

enum class Listening : std::uint8_t { Nobody, Events };

// Keeps the newest events, as the ring of /events does.
class EventKeeper final : public conntrack::EventSubscriber {
  public:
    explicit EventKeeper(Router& router) : router_(router), records_(kRecords) {
        router_.subscribe(*this);
    }
    ~EventKeeper() { router_.unsubscribe(*this); }
    EventKeeper(const EventKeeper&) = delete;
    EventKeeper& operator=(const EventKeeper&) = delete;

    void conntrack_event(const conntrack::Event& event) override {
        records_[told++ % kRecords] = router::record_of(event);
    }
    std::size_t told = 0;

  private:
    static constexpr std::size_t kRecords = 4096;
    Router& router_;
    std::vector<router::EventRecord> records_;
};

void set_opening_timeouts(Router& router, std::uint32_t seconds) {
    pipeline::Settings settings = router.settings();
    settings.conntrack.timeouts.udp = seconds;
    settings.conntrack.timeouts.tcp_syn_sent = seconds;
    router.configure(settings);
}

void expire_all_due(BusyRouter& busy) {
    while (!busy.router.expire(busy.now, busy.egress)) {
    }
}

// One batch of new flows in every millisecond, which are over after a second: so each takes the
// beginning of one connection and the end of another, masquerading and rules included.
void router_new_and_expire(benchmark::State& state, Transport transport, Listening listening) {
    BusyRouter& busy = busy_router(static_cast<std::uint32_t>(state.range(0)),
                                   {.transport = transport, .newcomers = true});
    std::optional<EventKeeper> keeper;
    if (listening == Listening::Events) {
        keeper.emplace(busy.router);
    }
    set_opening_timeouts(busy.router, 1);
    for (auto _ : state) {
        busy.now += std::chrono::milliseconds(1);
        busy.open_batch();
        busy.router.expire(busy.now, busy.egress);
    }
    busy.now += std::chrono::seconds(2);
    expire_all_due(busy);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
    if (busy.router.conntrack().table().size() != static_cast<std::uint32_t>(state.range(0))) {
        state.SkipWithError("other connections are left than those that there were");
    }
    if (keeper) {
        state.counters["told"] = static_cast<double>(keeper->told) /
                                 static_cast<double>(state.iterations() * std::int64_t{kBatch});
    }
}
NSR_BENCHMARK("router_new_and_expire/udp", router_new_and_expire, Transport::Udp, Listening::Nobody)
    ->Apply(by_flows);
NSR_BENCHMARK("router_new_and_expire/udp/events", router_new_and_expire, Transport::Udp,
              Listening::Events)
    ->Apply(by_flows);
NSR_BENCHMARK("router_new_and_expire/tcp", router_new_and_expire, Transport::Tcp, Listening::Nobody)
    ->Apply(by_flows);

// All connections end at once.
void router_expire(benchmark::State& state, Listening listening) {
    const auto flows = static_cast<std::uint32_t>(state.range(0));
    std::size_t told = 0;
    for (auto _ : state) {
        state.PauseTiming();
        auto busy = std::make_unique<BusyRouter>(
            BusyLoad{.flows = flows, .memory = memory_of(Pages::Huge)});
        std::optional<EventKeeper> keeper;
        if (listening == Listening::Events) {
            keeper.emplace(busy->router);
        }
        busy->now += std::chrono::seconds(200000);
        state.ResumeTiming();
        expire_all_due(*busy);
        state.PauseTiming();
        told += keeper ? keeper->told : 0;
        if (busy->router.conntrack().table().size() != 0) {
            state.SkipWithError("connections are left");
        }
        keeper.reset();
        busy.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * flows);
    state.counters["told"] =
        static_cast<double>(told) / static_cast<double>(state.iterations() * flows);
}
NSR_BENCHMARK("router_expire/silent", router_expire, Listening::Nobody)
    ->ArgName("flows")
    ->Arg(1000000)
    ->Unit(benchmark::kMillisecond);
NSR_BENCHMARK("router_expire/events", router_expire, Listening::Events)
    ->ArgName("flows")
    ->Arg(1000000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
