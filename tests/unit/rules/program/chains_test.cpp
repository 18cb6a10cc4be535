// The walk through chains: verdicts, jumps, goto, policies, counters.
#include "core/rules/language/parse.hpp"
#include "core/rules/program/program.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TargetVerdict;

namespace {

const PacketBuilder kPing = ping("10.0.0.2", "192.0.2.1");  // 84 bytes or so: see length below

std::string bytes(const PacketBuilder& builder, unsigned packets) {
    return std::to_string(packets) + ":" + std::to_string(packets * builder.bytes().size());
}

bool policy_drops(Firewall& box, const PacketBuilder& builder) {
    const rules::TableVerdict decided = box.forward(builder);
    return decided.verdict == TargetVerdict::Drop && decided.by_policy();
}

}  // namespace

TEST_CASE("without a rule that decides, the policy does, and counts") {
    Firewall accepting(forward("-A FORWARD -s 10.9.0.0/16 -j DROP"));
    CHECK(accepting.accepts(kPing));
    CHECK(accepting.count("FORWARD", 0) == bytes(kPing, 1));
    CHECK(accepting.count("FORWARD", 1) == "0:0");

    Firewall dropping(forward(":FORWARD DROP [7:700]"));
    CHECK(policy_drops(dropping, kPing));
    CHECK(dropping.forward(kPing).rule == RuleId::None);
    CHECK(dropping.count("FORWARD", 0) == "9:" + std::to_string(700 + 2 * kPing.bytes().size()));
}

TEST_CASE("a rule counts the packets it matches and names itself as the one that decided") {
    Firewall box(forward("-A FORWARD\n[5:50] -A FORWARD -p icmp -j DROP\n-A FORWARD -j ACCEPT"));
    const rules::TableVerdict decided = box.forward(kPing);
    CHECK(decided.verdict == TargetVerdict::Drop);
    REQUIRE(box.program.find(decided.rule).has_value());
    CHECK(box.program.find(decided.rule)->rule->where.line == 3);
    CHECK(box.count("FORWARD", 1) == bytes(kPing, 1));
    CHECK(box.count("FORWARD", 2) == "6:" + std::to_string(50 + kPing.bytes().size()));
    CHECK(box.count("FORWARD", 3) == "0:0");
    CHECK(box.count("FORWARD", 0) == "0:0");
}

TEST_CASE("a user chain comes back behind the jump, at its end and at RETURN") {
    Firewall box(
        forward(":A - [0:0]\n:B - [0:0]\n-A FORWARD -j A\n-A FORWARD -j DROP\n"
                "-A A -j B\n-A A -p icmp -j RETURN\n-A A -j ACCEPT\n-A B -p udp -j ACCEPT"));
    CHECK(box.drops(kPing));
    CHECK(box.count("A", 2) == bytes(kPing, 1));
    CHECK(box.count("A", 3) == "0:0");
    CHECK(box.accepts(udp("10.0.0.2:1", "192.0.2.1:2")));
}

TEST_CASE("goto leaves no way back: the end of its chain returns to the caller of the jumper") {
    Firewall box(
        forward(":A - [0:0]\n:B - [0:0]\n-A FORWARD -j A\n-A FORWARD -j DROP\n"
                "-A A -g B\n-A A -j ACCEPT\n-A B -p udp -j ACCEPT"));
    CHECK(box.drops(kPing));
    CHECK(box.count("A", 2) == "0:0");
}

TEST_CASE("goto from a built-in chain ends in the policy, and so does RETURN there") {
    Firewall box(
        forward(":FORWARD DROP [0:0]\n:B - [0:0]\n-A FORWARD -p icmp -g B\n"
                "-A FORWARD -p udp -j RETURN\n-A FORWARD -j ACCEPT\n-A B -j RETURN"));
    CHECK(policy_drops(box, kPing));
    CHECK(policy_drops(box, udp("10.0.0.2:1", "192.0.2.1:2")));
    CHECK(box.accepts(tcp("10.0.0.2:1", "192.0.2.1:2").syn()));
}

TEST_CASE("a table that is not loaded, or has no chain at the hook, has nothing to run") {
    Firewall box(forward("-A FORWARD -j DROP"));
    using rules::TableId;
    CHECK(box.program.loaded(Family::Ipv4, TableId::Filter));
    CHECK(box.program.has(Family::Ipv4, TableId::Filter, Hook::Input));
    CHECK_FALSE(box.program.has(Family::Ipv4, TableId::Filter, Hook::Prerouting));
    CHECK_FALSE(box.program.loaded(Family::Ipv6, TableId::Filter));
    CHECK_FALSE(box.program.has(Family::Ipv4, TableId::Mangle, Hook::Forward));
}

TEST_CASE("an observer sees every rule that was tried, and the policy") {
    struct Story final : rules::RuleObserver {
        void rule_tried(const rules::RuleTried& tried) override {
            text += std::string(tried.chain) + ":" + std::to_string(tried.number) + ":" +
                    std::to_string(tried.rule.where.line) + (tried.matched ? "+ " : "- ");
        }
        void policy_applied(rules::TableId, std::string_view chain, rules::Policy) override {
            text += "policy of " + std::string(chain);
        }
        std::string text;
    } story;
    Firewall box(forward(":A - [0:0]\n-A FORWARD -p udp -j DROP\n-A FORWARD -j A\n-A A -p icmp"));
    Packet shown = box.packet(kPing);
    rules::ActionParam par{shown,         rules::TableId::Filter,
                           Hook::Forward, box.now,
                           box.conntrack, box.network,
                           box.random,    box.log,
                           box.sets,      box.hash_key};
    box.program.run(par, &story);
    CHECK(story.text == "FORWARD:1:3- FORWARD:2:4+ A:1:5+ policy of FORWARD");
}

TEST_CASE("a table that another load leaves alone keeps what its rules remember") {
    rules::Ruleset ruleset =
        parsed(forward("-A FORWARD -m limit --limit 1/hour --limit-burst 1 -j ACCEPT\n"
                       "-A FORWARD -j DROP"));
    Firewall box(ruleset);
    CHECK(box.accepts(kPing));
    ruleset = box.program.ruleset();
    REQUIRE(rules::parse_save("*mangle\nCOMMIT\n", "other", Family::Ipv4, ruleset).empty());
    rules::Program next(ruleset, {{"lan", kLan}, {"wan", kWan}});
    next.take_over(box.program);
    box.program = std::move(next);
    CHECK(box.drops(kPing));
    CHECK(box.count("FORWARD", 1) == bytes(kPing, 1));

    REQUIRE(rules::parse_save(forward("-A FORWARD -m limit --limit 1/hour --limit-burst 1"
                                      " -j ACCEPT"),
                              "again", Family::Ipv4, ruleset)
                .empty());
    rules::Program fresh(ruleset, {{"lan", kLan}, {"wan", kWan}});
    fresh.take_over(box.program);
    box.program = std::move(fresh);
    CHECK(box.accepts(kPing));
}
