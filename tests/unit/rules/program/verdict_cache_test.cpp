// What is known of packets of the same kind: who is taken for the same, and for how long.
#include "core/rules/program/verdict_cache.hpp"

#include "core/rules/program/program.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TargetVerdict;
using rules::VerdictCache;

namespace {

const PacketBuilder kAsk = udp("10.0.0.2:1024", "192.0.2.1:53");

std::optional<rules::WalkKey> key_of(Firewall& box, Packet& packet) {
    const rules::ActionParam par{packet,        rules::TableId::Filter,
                                 Hook::Forward, box.now,
                                 box.conntrack, box.network,
                                 box.random,    box.log,
                                 box.sets,      box.hash_key};
    return rules::walk_key_of(par);
}

rules::WalkKey key(std::uint32_t number) {
    rules::WalkKey made;
    made.mark = number;
    return made;
}

}  // namespace

TEST_CASE("packets of a kind are counted by the rules that counted the first one") {
    Firewall box(
        forward(":A - [0:0]\n-A FORWARD -p tcp -j DROP\n-A FORWARD -p udp -j A\n"
                "-A A -s 10.0.0.0/8\n-A A -p udp --dport 53 -j ACCEPT"));
    for (unsigned packets = 1; packets <= 3; ++packets) {
        const rules::TableVerdict decided = box.forward(kAsk);
        CHECK(decided.verdict == TargetVerdict::Accept);
        CHECK(box.program.find(decided.rule)->number == 2);
        CHECK(box.count("FORWARD", 1) == "0:0");
        for (const auto& [chain, number] : {std::pair("FORWARD", 2), {"A", 1}, {"A", 2}}) {
            CHECK(box.count(chain, static_cast<std::size_t>(number)) ==
                  std::to_string(packets) + ":" + std::to_string(packets * kAsk.bytes().size()));
        }
    }
}

TEST_CASE("a rule that remembers packets is asked about every one of them") {
    Firewall box(
        forward(":FORWARD DROP [0:0]\n-A FORWARD -m limit --limit 1/hour --limit-burst 2 "
                "-j ACCEPT"));
    CHECK(box.accepts(kAsk));
    CHECK(box.accepts(kAsk));
    CHECK(box.drops(kAsk));
}

TEST_CASE("what a rule may ask for makes packets of two kinds") {
    Firewall box(forward(""));
    Packet first = box.packet(kAsk);
    const rules::WalkKey known = *key_of(box, first);
    Packet same = box.packet(kAsk);
    CHECK(key_of(box, same)->words() == known.words());
    same.meta.mark = 1;
    CHECK(key_of(box, same)->words() != known.words());
    same.meta.mark = 0;
    same.meta.ct_info = CtInfo::Established;
    CHECK(key_of(box, same)->words() != known.words());
    Packet other_port = box.packet(udp("10.0.0.2:1025", "192.0.2.1:53"));
    CHECK(key_of(box, other_port)->words() != known.words());
    Packet opening = box.packet(tcp("10.0.0.2:1", "192.0.2.1:80").flags(2));
    Packet going_on = box.packet(tcp("10.0.0.2:1", "192.0.2.1:80").flags(16));
    CHECK(key_of(box, opening)->words() != key_of(box, going_on)->words());
}

TEST_CASE("a packet without ports is of no kind") {
    Firewall box(forward(""));
    Packet no_ports = box.packet(ping("10.0.0.2", "192.0.2.1"));
    CHECK_FALSE(key_of(box, no_ports));
    Packet later_fragment = box.packet(kAsk);
    later_fragment.layout.fragment_offset = 8;
    CHECK_FALSE(key_of(box, later_fragment));
    Packet cut = box.packet(kAsk);
    cut.resize(cut.layout.l4_offset + 7);
    CHECK_FALSE(key_of(box, cut));
}

TEST_CASE("a cache that finds too little rests, and looks again later") {
    VerdictCache cache;
    std::uint32_t looks = 0;
    while (cache.worth_a_look()) {
        REQUIRE(looks < 10000);
        CHECK(cache.repeat(key(looks), 100) == nullptr);
        ++looks;
    }
    CHECK(looks == 1024);
    std::uint32_t rested = 1;
    while (!cache.worth_a_look()) {
        REQUIRE(rested < 100000);
        ++rested;
    }
    CHECK(rested == 32 * 1024);
}

TEST_CASE("a cache that finds what it is asked for never rests") {
    VerdictCache cache;
    rules::RuleCounters counters;
    rules::RuleCounters* const counted[] = {&counters};
    cache.remember(key(7), {.verdict = TargetVerdict::Drop, .rule = RuleId{9}}, counted);
    for (int i = 0; i < 5000; ++i) {
        REQUIRE(cache.worth_a_look());
        const rules::TableVerdict* known = cache.repeat(key(7), 60);
        REQUIRE(known != nullptr);
        CHECK(known->verdict == TargetVerdict::Drop);
        CHECK(known->rule == RuleId{9});
    }
    CHECK(counters.packets == 5000);
    CHECK(counters.bytes == 300000);
}
