// What is observed of a packet: its whole way as a value, and nothing of packets nobody asks for.
#include "core/observe/watcher.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::observe;
using namespace nsr::test;

namespace {

constexpr const char* kRules =
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n:FORWARD DROP [0:0]\n:web - [0:0]\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -p tcp -j web\n"
    "-A web -p tcp --dport 80 -j ACCEPT\n"
    "-A web -p tcp --dport 81 -j REJECT\n"
    "COMMIT\n";

struct Observed {
    explicit Observed(const std::string& rules = kRules) : bench(rules) {
        watcher.done = [this](std::span<const Observation> group) {
            seen.insert(seen.end(), group.begin(), group.end());
        };
        bench.router->observe(&watcher);
    }

    Bench bench;
    Watcher watcher{*bench.router};
    std::vector<Observation> seen;
};

template <class Kind>
std::vector<Kind> all(const Observation& observation) {
    std::vector<Kind> found;
    for (const Step& step : observation.steps) {
        if (const auto* kind = std::get_if<Kind>(&step)) {
            found.push_back(*kind);
        }
    }
    return found;
}

PacketBuilder syn(const char* to = "192.0.2.7:80") {
    return tcp("10.0.0.2:4000", to).syn().seq(1);
}

}  // namespace

TEST_CASE("watcher: an accepted packet's way, step by step") {
    Observed observed;
    observed.bench.from_lan(syn());
    REQUIRE(observed.seen.size() == 1);
    const Observation& packet = observed.seen.front();
    CHECK(packet.number == 1);
    CHECK(packet.in == "lan");
    CHECK(packet.packet.starts_with("IPv4 10.0.0.2 > 192.0.2.7 ttl=64"));
    CHECK(packet.fate == Fate::Left);
    CHECK(packet.at == observed.bench.now);

    const auto* tracked = find<TrackedStep>(packet);
    REQUIRE(tracked != nullptr);
    CHECK(tracked->info == CtInfo::New);
    CHECK_FALSE(tracked->before.has_value());
    REQUIRE(tracked->after.has_value());
    CHECK(tracked->after->state == "SYN_SENT");

    const auto* routed = find<RoutedStep>(packet);
    REQUIRE(routed != nullptr);
    CHECK(routed->interface == "wan");

    const auto rules = all<RuleStep>(packet);
    REQUIRE(rules.size() == 3);
    CHECK(rules[0].chain == "FORWARD");
    CHECK(rules[0].number == 2);
    CHECK(rules[1].chain == "web");
    CHECK(rules[1].number == 1);
    CHECK(rules[1].where.line == 9);
    CHECK(rules[1].target == "ACCEPT");
    CHECK(rules[1].counters.packets == 1);
    CHECK(rules[2].table == rules::TableId::Nat);

    const auto* translated = find<TranslatedStep>(packet);
    REQUIRE(translated != nullptr);
    CHECK(translated->source);
    CHECK(translated->from == "10.0.0.2:4000");
    CHECK(translated->to == "192.0.2.1:4000");

    const auto* confirmed = find<ConfirmedStep>(packet);
    REQUIRE(confirmed != nullptr);
    CHECK(confirmed->connection.reply.destination == *parse_address("192.0.2.1"));
    CHECK(find<LeftStep>(packet)->interface == "wan");
}

TEST_CASE("watcher: the state of the connection before and after an answer") {
    Observed observed;
    observed.bench.from_lan(syn());
    observed.bench.from_wan(tcp("192.0.2.7:80", "192.0.2.1:4000").syn().ack(2));
    const auto* tracked = find<TrackedStep>(observed.seen.back());
    REQUIRE(tracked != nullptr);
    CHECK(tracked->info == CtInfo::EstablishedReply);
    REQUIRE(tracked->before.has_value());
    CHECK(tracked->before->state == "SYN_SENT");
    CHECK(tracked->after->state == "SYN_RECV");
    CHECK(find<ConfirmedStep>(observed.seen.back()) == nullptr);
}

TEST_CASE("watcher: a drop has its place, its reason and what would have helped") {
    Observed observed;
    observed.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    const Observation& packet = observed.seen.front();
    CHECK(packet.fate == Fate::Dropped);
    CHECK(packet.reason == DropReason::PolicyDrop);
    const auto* dropped = find<DroppedStep>(packet);
    REQUIRE(dropped != nullptr);
    REQUIRE(dropped->place.has_value());
    CHECK(dropped->place->hook == Hook::Forward);
    CHECK(dropped->place->stage == pipeline::StageId::Filter);
    CHECK(dropped->hint ==
          "a rule in FORWARD that accepts NEW packets from lan to wan, or the policy ACCEPT");
    CHECK(find<PolicyStep>(packet)->policy == rules::Policy::Drop);
}

TEST_CASE("watcher: what a packet causes is told with it, and behind it") {
    Observed observed;
    observed.bench.from_lan(syn("192.0.2.7:81"));
    REQUIRE(observed.seen.size() == 2);
    CHECK(observed.seen[0].reason == DropReason::RuleReject);
    CHECK(find<CausedStep>(observed.seen[0])->number == observed.seen[1].number);
    CHECK(observed.seen[1].caused_by == observed.seen[0].number);
    CHECK(observed.seen[1].in.empty());
    CHECK(find<LeftStep>(observed.seen[1])->interface == "lan");
}

TEST_CASE("watcher: packets that nobody wants leave nothing") {
    Observed observed;
    observed.watcher.wanted = [](const Packet& packet) -> std::uint64_t {
        return packet.layout.protocol == proto::kUdp ? 4 : 0;
    };
    observed.bench.from_lan(syn("192.0.2.7:81"));
    observed.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    REQUIRE(observed.seen.size() == 1);
    CHECK(observed.seen.front().wanted_by == 4);
}

TEST_CASE("watcher: rules that do not match are told on request, and change no outcome") {
    Observed observed;
    observed.watcher.depth.every_rule = true;
    observed.bench.from_lan(syn());
    const auto rules = all<RuleStep>(observed.seen.front());
    REQUIRE(rules.size() == 4);
    CHECK_FALSE(rules[0].matched);
    CHECK(rules[0].counters.packets == 0);
}

TEST_CASE("watcher: a broken packet has an observation, too") {
    Observed observed;
    observed.bench.from_lan(std::vector<std::uint8_t>{0x15, 0, 0});
    REQUIRE(observed.seen.size() == 1);
    CHECK(observed.seen.front().fate == Fate::Dropped);
    CHECK_FALSE(find<DroppedStep>(observed.seen.front())->place.has_value());
}

TEST_CASE("watcher: a rule with -j TRACE marks the packet") {
    Observed observed("*raw\n-A PREROUTING -p udp -j TRACE\nCOMMIT\n");
    observed.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    observed.bench.from_lan(syn());
    CHECK(observed.seen[0].traced);
    CHECK_FALSE(observed.seen[1].traced);
}

TEST_CASE("watcher: an echo request for the router is delivered, and its answer is caused") {
    Observed observed("");
    observed.bench.from_lan(ping("10.0.0.2", "10.0.0.1"));
    REQUIRE(observed.seen.size() == 2);
    CHECK(observed.seen[0].fate == Fate::Delivered);
    CHECK(observed.seen[1].caused_by == 1);
    CHECK(observed.seen[1].fate == Fate::Left);
}
