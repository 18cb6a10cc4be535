// Which packets a rule means, and in which order rules are asked.
#include <doctest/doctest.h>

#include "core/routing/rule_list.hpp"

using namespace nsr;
using routing::Flow;
using routing::PolicyRule;
using routing::RuleAction;
using routing::RuleChange;
using routing::RuleInterfaces;
using routing::RuleList;
using routing::RuleQuery;

namespace {

constexpr IfIndex kLan{1};
constexpr IfIndex kWan{2};

IpAddress address(const char* text) {
    return *parse_address(text);
}

// From 10.1.0.5 in by lan: a UDP packet to port 53.
Flow question() {
    Flow flow;
    flow.source = address("10.1.0.5");
    flow.destination = address("203.0.113.9");
    flow.in = kLan;
    flow.protocol = 17;
    flow.source_port = 40000;
    flow.destination_port = 53;
    return flow;
}

bool means(const PolicyRule& rule, const Flow& flow, const RuleInterfaces& interfaces = {}) {
    return matches(rule, interfaces, flow);
}

PolicyRule asks(std::uint32_t table) {
    PolicyRule rule;
    rule.table = table;
    return rule;
}

std::vector<std::uint32_t> priorities(const RuleList& list) {
    std::vector<std::uint32_t> all;
    for (const PolicyRule& rule : list.of(Family::Ipv4)) {
        all.push_back(rule.priority);
    }
    return all;
}

}  // namespace

TEST_CASE("a rule without anything means every packet, and with `not` none") {
    PolicyRule rule;
    CHECK(means(rule, question()));
    rule.inverted = true;
    CHECK_FALSE(means(rule, question()));
}

TEST_CASE("addresses: a packet without a source is in no network") {
    PolicyRule rule;
    rule.from = *parse_prefix("10.1.0.0/24");
    CHECK(means(rule, question()));
    Flow flow = question();
    flow.source = {};
    CHECK_FALSE(means(rule, flow));
    rule.to = *parse_prefix("203.0.113.8/30");
    CHECK(means(rule, question()));
    rule.to = *parse_prefix("203.0.113.12/30");
    CHECK_FALSE(means(rule, question()));
}

TEST_CASE("a mark counts where its mask does") {
    PolicyRule rule;
    rule.mark = 0x10;
    rule.mark_mask = 0xf0;
    Flow flow = question();
    CHECK_FALSE(means(rule, flow));
    flow.mark = 0x71f;
    CHECK(means(rule, flow));
}

TEST_CASE("the name of no interface means no packet") {
    PolicyRule rule;
    rule.in = "lan";
    CHECK(means(rule, question(), {kLan, IfIndex::None}));
    CHECK_FALSE(means(rule, question(), {kWan, IfIndex::None}));
    CHECK_FALSE(means(rule, question(), {}));
    rule.inverted = true;
    CHECK(means(rule, question(), {}));
}

TEST_CASE("ports, protocol and TOS") {
    PolicyRule rule;
    rule.destination_ports = {50, 53};
    CHECK(means(rule, question()));
    rule.source_ports = {1, 39999};
    CHECK_FALSE(means(rule, question()));
    rule.source_ports = {};
    rule.protocol = 6;
    CHECK_FALSE(means(rule, question()));
    rule.protocol = 17;
    rule.tos = 0x10;
    Flow flow = question();
    CHECK_FALSE(means(rule, flow));
    flow.tos = 0xb3;  // the bits of the precedence and of ECN are not TOS
    CHECK(means(rule, flow));
}

TEST_CASE("the kernel's own rules come first of all, and may go") {
    RuleList list;
    CHECK(priorities(list) == std::vector<std::uint32_t>{0, 32766, 32767});
    CHECK(list.of(Family::Ipv6).size() == 2);
    CHECK(list.untouched(Family::Ipv4));
    list.flush(Family::Ipv4);
    CHECK(priorities(list) == std::vector<std::uint32_t>{0});
    CHECK_FALSE(list.untouched(Family::Ipv4));
    list.assign({});
    CHECK(list.untouched(Family::Ipv4));
}

TEST_CASE("rules without a priority come before those that are there") {
    RuleList list;
    CHECK(list.add(asks(100), std::nullopt) == RuleChange::Done);
    CHECK(list.add(asks(101), std::nullopt) == RuleChange::Done);
    CHECK(list.add(asks(102), 50) == RuleChange::Done);
    CHECK(list.add(asks(102), 50) == RuleChange::Exists);
    CHECK(priorities(list) == std::vector<std::uint32_t>{0, 50, 32764, 32765, 32766, 32767});
    CHECK(list.of(Family::Ipv4)[2].table == 101);
}

TEST_CASE("goto leads forwards only") {
    RuleList list;
    PolicyRule rule;
    rule.action = RuleAction::Goto;
    rule.target = 100;
    CHECK(list.add(rule, 100) == RuleChange::Backwards);
    CHECK(list.add(rule, 99) == RuleChange::Done);
}

TEST_CASE("a rule is deleted by what is said of it") {
    RuleList list;
    PolicyRule marked = asks(100);
    marked.mark = 1;
    marked.mark_mask = 0xffffffff;
    REQUIRE(list.add(asks(100), 10) == RuleChange::Done);
    REQUIRE(list.add(marked, 20) == RuleChange::Done);
    CHECK(list.remove({.like = marked}) == RuleChange::Done);
    CHECK(list.remove({.like = marked}) == RuleChange::Missing);
    CHECK(list.remove({.like = {}, .priority = 11, .any_action = true}) == RuleChange::Missing);
    CHECK(list.remove({.like = {}, .priority = 10, .any_action = true}) == RuleChange::Done);
    CHECK(list.untouched(Family::Ipv4));
}
