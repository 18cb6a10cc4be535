// What rules cost by their number: a packet that none of them wants, and of no kind that is known
// (verdict_cache.hpp), through the whole router without tracking. rules_none is what it costs
// without rules. Then what it takes to load rules, to make a program with one rule changed, and to
// swap it in. What they cost the packets of established flows is in router_bench.cpp.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/language/native.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/program/program.hpp"
#include "core/sets/sets.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"

namespace {

using namespace nsr;

constexpr std::size_t kBatch = 32;
constexpr std::size_t kPacketBytes = 28 + 64;
using Frame = std::array<std::uint8_t, kPacketBytes>;
using Shape = std::string (*)(unsigned number);

std::string address(unsigned number) {
    return "10." + std::to_string(100 + number / 65536) + "." + std::to_string(number / 256 % 256) +
           "." + std::to_string(number % 256);
}
std::string by_address(unsigned number) {
    return "-s " + address(number);
}
std::string by_network(unsigned number) {
    return "-d 172." + std::to_string(16 + number / 4096) + "." +
           std::to_string(number / 16 % 256) + "." + std::to_string(number % 16 * 16) + "/28";
}
std::string by_port(unsigned number) {
    return "-p udp --dport " + std::to_string(1 + number);
}
std::string by_range(unsigned number) {
    return "-p udp --dport " + std::to_string(1 + number) + ":" + std::to_string(2 + number);
}
std::string by_interface(unsigned number) {
    return "-i eth" + std::to_string(number);
}
std::string by_multiport(unsigned number) {
    return "-p udp -m multiport --dports " + std::to_string(1 + number) + "," +
           std::to_string(3 + number);
}
// Each a set of its own, which holds by_address(number).
std::string by_set(unsigned number) {
    return "-m set --match-set s" + std::to_string(number) + " src";
}
// As of a service that is published: where to, what, and from which network.
std::string by_service(unsigned number) {
    return "-s 192.168." + std::to_string(number % 200) + ".0/24 -d " + address(number) +
           " -p udp --dport " + std::to_string(1 + number % 1000);
}

std::string rules_text(Shape shape, unsigned count) {
    std::string text = "*filter\n";
    for (unsigned i = 0; i < count; ++i) {
        text += "-A FORWARD " + shape(i) + " -j DROP\n";
    }
    return text + "COMMIT\n";
}

rules::Ruleset parsed(const std::string& text) {
    rules::Ruleset ruleset;
    static_cast<void>(rules::parse_save(text, "bench", Family::Ipv4, ruleset));
    return ruleset;
}

// So many that hardly one finds what the last of its kind left.
constexpr std::uint32_t kKinds = 1u << 16;

Frame frame(std::uint32_t number) {
    Frame bytes{};
    bytes[0] = 0x45;
    wire::store16(&bytes[2], kPacketBytes);
    bytes[8] = 64;
    bytes[9] = 17;
    wire::store32(&bytes[12], 0x0a000002 + number % 200);
    wire::store32(&bytes[16], 0xc6336407);  // 198.51.100.7
    wire::store16(&bytes[10], wire::checksum({bytes.data(), 20}));
    wire::store16(&bytes[20], static_cast<std::uint16_t>(number));
    wire::store16(&bytes[22], 60000);
    wire::store16(&bytes[24], 8 + 64);
    return bytes;
}

void make_sets(unsigned count, sets::Sets& sets) {
    const sets::SetSpec spec{.type = sets::find_type("hash:ip"), .family = Family::Ipv4};
    for (unsigned i = 0; i < count; ++i) {
        const std::string name = "s" + std::to_string(i);
        static_cast<void>(sets.create(name, spec, false));
        static_cast<void>(
            sets.add(*sets.id_of(name), {.ip = *parse_address(address(i))}, {}, false, Instant{}));
    }
}

std::unique_ptr<Router> router_with(const std::string& text, unsigned sets) {
    Router::Options options;
    options.tracking = TrackingMode::Off;
    auto router = std::make_unique<Router>(std::move(options));
    router->add_interface({.name = "lan", .addresses = {*parse_prefix("10.0.0.1/24")}});
    router->add_interface({.name = "wan", .addresses = {*parse_prefix("198.51.100.1/24")}});
    make_sets(sets, router->sets());
    router->apply(parsed(text), Instant{std::chrono::seconds(1000)});
    return router;
}

void pass(benchmark::State& state, const std::string& text, unsigned sets) {
    const Instant now{std::chrono::seconds(1000)};
    const auto router = router_with(text, sets);
    BufferPool pool;
    EgressQueue egress;
    std::vector<Packet> batch;
    std::vector<Frame> frames(kKinds);
    for (std::uint32_t number = 0; number < kKinds; ++number) {
        frames[number] = frame(number);
    }
    std::size_t left = 0;
    std::size_t sent = 0;
    for (auto _ : state) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            batch.emplace_back(pool, frames[sent++ % kKinds]).meta.in = IfIndex{1};
        }
        router->receive(batch, now, egress);
        left += egress.size();
        batch.clear();
        egress.clear();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
    if (left != static_cast<std::size_t>(state.iterations()) * kBatch) {
        state.SkipWithError("packets were lost");
    }
}

void rules_none(benchmark::State& state) {
    pass(state, "*filter\nCOMMIT\n", 0);
}
BENCHMARK(rules_none);

void rules_cost(benchmark::State& state, Shape shape) {
    const auto count = static_cast<unsigned>(state.range(0));
    pass(state, rules_text(shape, count), shape == by_set ? count : 0);
}
#define NSR_SHAPE(name)                            \
    BENCHMARK_CAPTURE(rules_cost, name, by_##name) \
        ->Arg(10)                                  \
        ->Arg(100)                                 \
        ->Arg(1000)                                \
        ->Arg(10000)                               \
        ->Arg(50000)
NSR_SHAPE(address);
NSR_SHAPE(network);
NSR_SHAPE(port);
NSR_SHAPE(range);
NSR_SHAPE(interface);
NSR_SHAPE(service);
NSR_SHAPE(multiport);
NSR_SHAPE(set);

void rules_load(benchmark::State& state) {
    const std::string text = rules_text(by_service, static_cast<unsigned>(state.range(0)));
    for (auto _ : state) {
        const rules::Program program(parsed(text), {{"lan", IfIndex{1}}});
        benchmark::DoNotOptimize(&program);
    }
}
BENCHMARK(rules_load)->Arg(50000)->Unit(benchmark::kMillisecond);

rules::Ruleset one_replaced(const rules::Ruleset& now) {
    rules::Ruleset next = now;
    auto rule = rules::parse_rules({"-s", "10.9.9.9", "-j", "DROP"}, Family::Ipv4,
                                   rules::TableId::Filter, "FORWARD", next, {});
    rule->front().id = take_id(next);
    rules::RuleList& list = next.table(Family::Ipv4, rules::TableId::Filter).find("FORWARD")->rules;
    list.replace(list.size() / 2, std::move(rule->front()));
    return next;
}

// All that replacing one rule takes, in whatever thread.
void rules_replace_one(benchmark::State& state) {
    const std::string text = rules_text(by_service, static_cast<unsigned>(state.range(0)));
    rules::Program program(parsed(text), {{"lan", IfIndex{1}}});
    for (auto _ : state) {
        rules::Ruleset next = one_replaced(program.ruleset());
        if (!rules::check(next, Family::Ipv4).empty()) {
            state.SkipWithError("the rule is refused");
        }
        rules::Program made(std::move(next), program.interfaces(), program.base());
        made.take_over(program);
        program = std::move(made);
    }
}
BENCHMARK(rules_replace_one)->Arg(50000)->Unit(benchmark::kMillisecond);

// Of that, what packets wait for.
void rules_swap(benchmark::State& state) {
    const std::string text = rules_text(by_service, static_cast<unsigned>(state.range(0)));
    rules::Program program(parsed(text), {{"lan", IfIndex{1}}});
    for (auto _ : state) {
        state.PauseTiming();
        rules::Program made(one_replaced(program.ruleset()), program.interfaces(), program.base());
        state.ResumeTiming();
        made.take_over(program);
        std::swap(program, made);
        state.PauseTiming();
        made = rules::Program({}, {});
        state.ResumeTiming();
    }
}
BENCHMARK(rules_swap)->Arg(50000)->Unit(benchmark::kMicrosecond)->Iterations(50);

// A snapshot of counters for a listing or a change.
void rules_counted(benchmark::State& state) {
    const std::string text = rules_text(by_service, static_cast<unsigned>(state.range(0)));
    const rules::Program program(parsed(text), {{"lan", IfIndex{1}}});
    for (auto _ : state) {
        benchmark::DoNotOptimize(program.counted());
    }
}
BENCHMARK(rules_counted)->Arg(50000)->Unit(benchmark::kMicrosecond);

}  // namespace
