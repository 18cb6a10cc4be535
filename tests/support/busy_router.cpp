#include "tests/support/busy_router.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/random.hpp"
#include "core/conntrack/record/home.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::bench {

namespace {

Router::Options options(BusyLoad& load) {
    constexpr std::uint32_t kForEver = 100000;
    Router::Options wanted;
    wanted.settings.conntrack.max = 0;
    wanted.settings.conntrack.buckets = buckets_for(load.flows);
    wanted.settings.conntrack.timeouts.udp = kForEver;
    wanted.settings.conntrack.timeouts.udp_stream = kForEver;
    wanted.tracking = TrackingMode::On;
    wanted.memory = std::move(load.memory);
    wanted.shard = load.shard;
    return wanted;
}

// In a random order.
std::vector<std::uint32_t> flows_at_home(const BusyLoad& load) {
    std::vector<std::uint32_t> flows = shuffled(load.flows);
    std::erase_if(flows, [&](std::uint32_t number) {
        return home_of(number, load.shard) != load.shard.index;
    });
    return flows;
}

}  // namespace

unsigned home_of(std::uint32_t number, const conntrack::ShardPlace& place) {
    const Frame frame = opening({.masqueraded = false}, number, 0);
    const conntrack::HomeHash hash{place.key, place.count};
    const auto word = [&](std::size_t at) { return wire::load32(frame.bytes.data() + at); };
    const auto port = [&](std::size_t at) { return wire::load16(frame.bytes.data() + at); };
    return hash.of_sums(word(12) + word(16), std::uint32_t{port(20)} + port(22));
}

std::string busy_rules(unsigned refusals) {
    std::string text = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n*filter\n";
    for (unsigned i = 0; i < refusals; ++i) {
        text += "-A FORWARD -s 198.51." + std::to_string(100 + i / 256) + "." +
                std::to_string(i % 256) + " -p tcp --dport 22 -j DROP\n";
    }
    return text + "-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";
}

std::vector<std::uint32_t> shuffled(std::uint32_t count) {
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    RandomSource random(1);
    for (std::uint32_t i = count; i > 1; --i) {
        std::swap(order[i - 1], order[random.below(i)]);
    }
    return order;
}

BusyRouter::BusyRouter(BusyLoad load)
    : kind(load.kind), router(options(load)), order_(flows_at_home(load)), newcomer_(load.flows) {
    add_interface("lan", "10.0.0.1/24");
    add_interface("wan", "192.0.2.1/24");
    static_cast<void>(router.add_route({.to = *parse_prefix("0.0.0.0/0"), .interface = kWan}));
    load_rules(load.rules);
    establish();
}

void BusyRouter::add_interface(const char* name, const char* address) {
    routing::Interface interface;
    interface.name = name;
    interface.addresses = {*parse_prefix(address)};
    router.add_interface(std::move(interface));
}

// In the order of their numbers. Then time passes, after which a stream of UDP counts as assured.
void BusyRouter::establish() {
    std::vector<std::uint32_t> flows = order_;
    std::sort(flows.begin(), flows.end());
    for (const std::uint32_t number : flows) {
        for (unsigned step = 0; step < opening_steps(kind); ++step) {
            add(opening(kind, number, step));
        }
        if (batch.size() >= kBatch) {
            pass();
        }
    }
    pass();
    all_established_ = left == order_.size() * opening_steps(kind);
    now += std::chrono::seconds(5);
}

void BusyRouter::pass_batch() {
    make_batch();
    pass();
}

void BusyRouter::make_batch() {
    for (std::size_t i = 0; i < batch_size; ++i) {
        add(established(kind, order_[at_], round_));
        if (++at_ == order_.size()) {
            at_ = 0;
            ++round_;
        }
    }
}

void BusyRouter::open_batch() {
    for (std::size_t i = 0; i < batch_size; ++i) {
        add(opening(kind, newcomer_++, 0));
    }
    pass();
}

void BusyRouter::add(const Frame& frame) {
    batch.emplace_back(pool, frame.view()).meta.in = frame.from_client ? kLan : kWan;
}

void BusyRouter::pass() {
    router.receive(batch, now, egress);
    left += egress.size();
    batch.clear();
    egress.clear();
}

void BusyRouter::load_rules(const std::string& text) {
    rules::Ruleset ruleset;
    static_cast<void>(rules::parse_save(text, "bench", Family::Ipv4, ruleset));
    router.apply(std::move(ruleset), now);
}

}  // namespace nsr::bench
