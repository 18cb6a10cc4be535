// What rules would make of connections that begin now, judged by a router of its own.
#include "core/pipeline/trial.hpp"

#include <doctest/doctest.h>

#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::test;
using Fate = Trial::Fate;

namespace {

conntrack::Tuple flow(const char* source, std::uint16_t source_port, const char* destination,
                      std::uint16_t destination_port, std::uint8_t protocol = proto::kUdp) {
    return {*parse_address(source), *parse_address(destination), source_port, destination_port,
            protocol};
}

const conntrack::Tuple kQuery = flow("10.0.0.2", 4000, "192.0.2.7", 53);

// The rules beside a router that has none.
struct Judge {
    explicit Judge(const std::string& rules, Family family = Family::Ipv4) : bench(rules, family) {}

    Trial::Surroundings surroundings() {
        return {bench.router->interfaces(), bench.router->routes().configured(),
                bench.router->settings(), TrackingMode::On};
    }

    Bench bench;
    Trial trial{surroundings(), bench.router->ruleset()};
};

}  // namespace

TEST_CASE("trial: it is told which rule would accept or refuse a connection") {
    Judge judge(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp --dport 53 -j ACCEPT\n"
        "-A FORWARD -p udp --dport 54 -j REJECT\nCOMMIT\n");
    const auto accepted = judge.trial.judge(kQuery, judge.bench.now);
    CHECK(accepted.fate == Fate::Accepted);
    CHECK(raw(accepted.accepted_by) == 1);
    const auto rejected =
        judge.trial.judge(flow("10.0.0.2", 4000, "192.0.2.7", 54), judge.bench.now);
    CHECK(rejected.fate == Fate::Refused);
    CHECK(rejected.refused_by.starts_with("given:4"));
    const auto dropped =
        judge.trial.judge(flow("10.0.0.2", 4000, "192.0.2.7", 55), judge.bench.now);
    CHECK(dropped.fate == Fate::Refused);
    CHECK(dropped.refused_by == "the policy of FORWARD");
}

TEST_CASE("trial: the router at work does not notice") {
    Judge judge("*filter\n-A FORWARD -j DROP\nCOMMIT\n");
    judge.trial.judge(kQuery, judge.bench.now);
    CHECK(judge.bench.router->drops().of(DropReason::RuleDrop) == 0);
    CHECK(judge.bench.router->conntrack().table().size() == 0);
}

TEST_CASE("trial: a first packet of every protocol is the first of a connection") {
    const char* rules =
        "*filter\n:FORWARD DROP [0:0]\n:INPUT DROP [0:0]\n"
        "-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\n"
        "-A INPUT -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n";
    Judge v4(rules);
    for (const int protocol : {6, 17, 136, 132, 47, 33, 50, 99}) {
        CAPTURE(protocol);
        const bool ports = protocol != 47 && protocol != 50 && protocol != 99 && protocol != 33;
        const std::uint16_t port = ports ? 5000 : 0;
        const auto tuple =
            flow("10.0.0.2", port, "192.0.2.7", port, static_cast<std::uint8_t>(protocol));
        CHECK(v4.trial.judge(tuple, v4.bench.now).fate == Fate::Accepted);
    }
    const auto echo = flow("10.0.0.2", 77, "192.0.2.7", 8 << 8, proto::kIcmp);
    CHECK(v4.trial.judge(echo, v4.bench.now).fate == Fate::Accepted);
    const auto to_us = flow("10.0.0.2", 5000, "10.0.0.1", 22, proto::kTcp);
    CHECK(v4.trial.judge(to_us, v4.bench.now).fate == Fate::Accepted);
    Judge v6(rules, Family::Ipv6);
    const auto echo6 = flow("fd00:1::2", 77, "2001:db8::7", 128 << 8, proto::kIcmpv6);
    CHECK(v6.trial.judge(echo6, v6.bench.now).fate == Fate::Accepted);
    const auto syn6 = flow("fd00:1::2", 5000, "2001:db8::7", 80, proto::kTcp);
    CHECK(v6.trial.judge(syn6, v6.bench.now).fate == Fate::Accepted);
}

TEST_CASE("trial: one connection takes nothing from the next one") {
    Judge judge("*nat\n-A POSTROUTING -p udp -j SNAT --to-source 192.0.2.1:5000\nCOMMIT\n");
    for (std::uint16_t port = 1; port < 200; ++port) {
        const auto outcome =
            judge.trial.judge(flow("10.0.0.2", port, "192.0.2.7", 53), judge.bench.now);
        REQUIRE(outcome.fate == Fate::Accepted);
        CHECK(outcome.reply.destination_port == 5000);
    }
}

TEST_CASE("trial: what a rule remembers is not known, and neither is the outcome then") {
    Judge judge(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp -m limit --limit 1/min -j ACCEPT\n"
        "-A FORWARD -p tcp -j ACCEPT\nCOMMIT\n");
    for (int i = 0; i < 20; ++i) {
        CHECK(judge.trial.judge(kQuery, judge.bench.now).fate == Fate::Unsure);
    }
    const auto tcp = flow("10.0.0.2", 5000, "192.0.2.7", 80, proto::kTcp);
    CHECK(judge.trial.judge(tcp, judge.bench.now).fate == Fate::Accepted);
}

TEST_CASE("trial: rules behind a copy are still those of the packet") {
    Judge judge(
        "*mangle\n-A PREROUTING -j TEE --gateway 192.0.2.9\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp --dport 53 -j DROP\nCOMMIT\n");
    const auto outcome = judge.trial.judge(kQuery, judge.bench.now);
    CHECK(outcome.fate == Fate::Refused);
    CHECK(outcome.refused_by.starts_with("given:6"));
}

TEST_CASE("trial: what an address set holds is not known") {
    Judge judge(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp -m set --match-set good src -j ACCEPT\n"
        "-A FORWARD -p udp -j ACCEPT\nCOMMIT\n");
    CHECK(judge.trial.judge(kQuery, judge.bench.now).fate == Fate::Unsure);
}

TEST_CASE("trial: what an address set makes of a packet is not known") {
    Judge judge(
        "*mangle\n-A FORWARD -p udp -j SET --map-set marks src --map-mark\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m mark --mark 7 -j ACCEPT\nCOMMIT\n");
    CHECK(judge.trial.judge(kQuery, judge.bench.now).fate == Fate::Unsure);
    const auto web = flow("10.0.0.2", 4000, "192.0.2.7", 80, proto::kTcp);
    CHECK(judge.trial.judge(web, judge.bench.now).fate == Fate::Refused);
}

TEST_CASE("trial: a source that no link reaches has no way in") {
    Judge judge("");
    CHECK(judge.trial.judge(flow("203.0.113.9", 1, "192.0.2.7", 53), judge.bench.now).fate ==
          Fate::Unsure);
}

TEST_CASE("trial: what is not tracked is treated differently from what is") {
    Judge judge("*raw\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n");
    const auto outcome = judge.trial.judge(kQuery, judge.bench.now);
    CHECK(outcome.fate == Fate::Untracked);
    CHECK(treats_differently({}, outcome));
}

TEST_CASE("trial: translations differ by addresses, not by the port that a source gets") {
    Judge judge("*nat\n-A POSTROUTING -p udp -j SNAT --to-source 192.0.2.1:5000\nCOMMIT\n");
    const auto outcome = judge.trial.judge(kQuery, judge.bench.now);
    REQUIRE(outcome.fate == Fate::Accepted);
    JudgedConnection same{outcome.reply, RuleId{99}};
    CHECK_FALSE(treats_differently(same, outcome));
    same.reply.destination_port = 6000;
    CHECK_FALSE(treats_differently(same, outcome));
    JudgedConnection other{outcome.reply, RuleId{99}};
    other.reply.destination = *parse_address("192.0.2.9");
    CHECK(treats_differently(other, outcome));
    other.translated_by = outcome.translated_by;  // whatever it has chosen
    CHECK_FALSE(treats_differently(other, outcome));
    JudgedConnection elsewhere{outcome.reply, RuleId::None};
    elsewhere.reply.source_port = 5353;
    CHECK(treats_differently(elsewhere, outcome));
}
