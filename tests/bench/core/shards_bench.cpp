// Several cores that share the flows of a router, one in each thread, as `[router] shards` makes
// them: packets are made in memory, and a part of them is of other shards and is handed over, as
// where the kernel does not put them into the right queue. Without devices: what the cores can do.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/random.hpp"
#include "router/shards/shard_link.hpp"
#include "tests/support/busy_router.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;

constexpr std::uint32_t kKey = 0x5eed;
constexpr FlowKind kUntranslated{.masqueraded = false};
constexpr auto kRules =
    "*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";

std::unique_ptr<router::ShardLinks> links;

// Once, before there are threads.
void link_up(const benchmark::State& state) {
    links = std::make_unique<router::ShardLinks>(static_cast<unsigned>(state.threads()), kKey);
}

class Shard {
  public:
    Shard(unsigned index, std::uint32_t flows, std::uint32_t strays)
        : link_(links->of(index)),
          strays_(strays),
          random_(index + 1),
          busy_({.flows = flows,
                 .kind = kUntranslated,
                 .rules = kRules,
                 .shard = links->place_of(index)}) {
        for (std::uint32_t number = 0; number < flows; ++number) {
            if (home_of(number, links->place_of(index)) != index) {
                others_.push_back(number);
            }
        }
    }

    // One that it has read, some of whose packets are of others, and what others have read for it.
    void pass_batch() {
        busy_.make_batch();
        for (std::size_t i = 0; i < busy_.batch.size() && !others_.empty(); ++i) {
            if (random_.below(100) < strays_) {
                const Frame frame = established(
                    kUntranslated,
                    others_[random_.below(static_cast<std::uint32_t>(others_.size()))], 0);
                busy_.batch[i] = Packet(busy_.pool, frame.view());
                busy_.batch[i].meta.in = frame.from_client ? kLan : kWan;
            }
        }
        busy_.pass();
        for (bool complete = false; !complete;) {
            complete = link_.take(busy_.pool, busy_.batch, kBatch);
            busy_.pass();
        }
    }

    [[nodiscard]] std::size_t left() const { return busy_.left; }
    [[nodiscard]] const router::ShardLink::Counters& counters() const { return link_.counters(); }

  private:
    router::ShardLink& link_;
    std::uint32_t strays_;  // percent
    RandomSource random_;
    BusyRouter busy_;
    std::vector<std::uint32_t> others_;
};

void shards_receive(benchmark::State& state) {
    Shard shard(static_cast<unsigned>(state.thread_index()),
                static_cast<std::uint32_t>(state.range(1)),
                static_cast<std::uint32_t>(state.range(0)));
    const std::size_t before = shard.left();
    for (auto _ : state) {
        shard.pass_batch();
    }
    // Of the last ones: who is through takes no more.
    state.counters["lost"] = static_cast<double>(shard.counters().lost);
    state.SetItemsProcessed(static_cast<std::int64_t>(shard.left() - before));
}
BENCHMARK(shards_receive)
    ->ArgNames({"strays", "flows"})
    ->ArgsProduct({{0, 10, 50}, {65536}})
    ->ThreadRange(1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())))
    ->Setup(link_up)
    ->UseRealTime();

// A packet of 92 bytes into a mailbox and out of it, by one thread.
void shards_mail(benchmark::State& state) {
    BufferPool pool;
    router::Mailbox box;
    const Packet packet(pool, opening(kUntranslated, 0, 0).view());
    Packet taken;
    for (auto _ : state) {
        benchmark::DoNotOptimize(box.put(packet));
        benchmark::DoNotOptimize(box.take(pool, taken));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(shards_mail);

}  // namespace
