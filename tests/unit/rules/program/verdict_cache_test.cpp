// What is known of packets of the same kind: who is taken for the same, and for how long.
#include "core/rules/program/verdict_cache.hpp"

#include <array>
#include <set>
#include <string>
#include <utility>

#include "core/rules/program/compiled.hpp"
#include "core/rules/program/key.hpp"
#include "core/rules/program/program.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TargetVerdict;
using rules::VerdictCache;

namespace {

const PacketBuilder kAsk = udp("10.0.0.2:1024", "192.0.2.1:53");
constexpr std::uint8_t kAllFlags = 0xff;

std::optional<rules::WalkKey> key_of(Firewall& box, Packet& packet,
                                     rules::TableId table = rules::TableId::Filter,
                                     Hook hook = Hook::Forward,
                                     std::uint8_t tcp_flags = kAllFlags) {
    const rules::ActionParam par{packet,      table,      hook,    box.now,  box.conntrack,
                                 box.network, box.random, box.log, box.sets, box.hash_key};
    return rules::walk_key_of(par, tcp_flags);
}

// A packet of no connection.
VerdictCache::Sought sought(std::uint32_t number, std::uint32_t state = 0) {
    rules::WalkKey key;
    key.mark = number;
    key.state = static_cast<std::uint8_t>(state);
    return {key, Meta{}, {}};
}

std::size_t place_of(std::uint32_t connection, CtInfo info, rules::ChainOrder chain) {
    Meta meta;
    meta.conn = ConnId{connection};
    meta.ct_info = info;
    return VerdictCache::Sought(rules::WalkKey{}, meta, chain).place;
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

TEST_CASE("more rules than are remembered count every packet") {
    Firewall box(forward("-A FORWARD\n-A FORWARD\n-A FORWARD\n-A FORWARD\n-A FORWARD -j ACCEPT"));
    for (unsigned packets = 1; packets <= 3; ++packets) {
        CHECK(box.accepts(kAsk));
        for (std::size_t number = 1; number <= 5; ++number) {
            CHECK(box.count("FORWARD", number).starts_with(std::to_string(packets) + ":"));
        }
    }
}

TEST_CASE("a rule that changes the packet changes every one of them") {
    Firewall box(parsed("*mangle\n-A FORWARD -j MARK --set-xmark 0x7\nCOMMIT\n", Family::Ipv4));
    for (int i = 0; i < 3; ++i) {
        Packet shown = box.packet(kAsk);
        box.run(shown, rules::TableId::Mangle);
        CHECK(shown.meta.mark == 7);
    }
}

TEST_CASE("a set that changes changes the verdict on the next packet") {
    Firewall box(forward("-A FORWARD -m set --match-set S src -j DROP"));
    const sets::SetSpec spec{.type = sets::find_type("hash:ip"), .family = Family::Ipv4};
    REQUIRE_FALSE(box.sets.create("S", spec, false));
    CHECK(box.accepts(kAsk));
    REQUIRE_FALSE(
        box.sets.add(*box.sets.id_of("S"), {.ip = *parse_address("10.0.0.2")}, {}, false, {}));
    CHECK(box.drops(kAsk));
}

TEST_CASE("what a rule may ask for makes packets of two kinds") {
    Firewall box(forward(""));
    Packet first = box.packet(kAsk);
    const rules::WalkKey::Words known = key_of(box, first)->words();
    Packet same = box.packet(kAsk);
    CHECK(key_of(box, same)->words() == known);
    const auto another = [&](const PacketBuilder& builder) {
        Packet packet = box.packet(builder);
        return key_of(box, packet)->words() != known;
    };
    CHECK(another(udp("10.0.0.3:1024", "192.0.2.1:53")));
    CHECK(another(udp("10.0.0.2:1024", "192.0.2.2:53")));
    CHECK(another(udp("10.0.0.2:1025", "192.0.2.1:53")));
    CHECK(another(udp("10.0.0.2:1024", "192.0.2.1:54")));
    const auto changed = [&](auto change) {
        Packet packet = box.packet(kAsk);
        change(packet);
        return key_of(box, packet)->words() != known;
    };
    CHECK(changed([](Packet& packet) { packet.meta.mark = 1; }));
    CHECK(changed([](Packet& packet) { packet.meta.in = kWan; }));
    CHECK(changed([](Packet& packet) { packet.meta.out = kLan; }));
    CHECK(changed([](Packet& packet) { packet.meta.ct_info = CtInfo::Established; }));
    CHECK(changed([](Packet& packet) { packet.layout.protocol = proto::kUdplite; }));
    CHECK(key_of(box, first, rules::TableId::Mangle)->words() != known);
    CHECK(key_of(box, first, rules::TableId::Filter, Hook::Input)->words() != known);
}

TEST_CASE("TCP flags make packets of two kinds where a rule asks for them") {
    Firewall box(forward(""));
    Packet opening = box.packet(tcp("10.0.0.2:1", "192.0.2.1:80").flags(2));
    Packet going_on = box.packet(tcp("10.0.0.2:1", "192.0.2.1:80").flags(16));
    const auto words = [&](Packet& packet, std::uint8_t asked) {
        return key_of(box, packet, rules::TableId::Filter, Hook::Forward, asked)->words();
    };
    CHECK(words(opening, kAllFlags) != words(going_on, kAllFlags));
    CHECK(words(opening, 2) != words(going_on, 2));
    CHECK(words(opening, 1) == words(going_on, 1));
}

TEST_CASE("a table asks for the TCP flags of all its rules") {
    constexpr std::uint8_t kFin = 1;
    constexpr std::uint8_t kSynRstAck = 2 | 4 | 16;
    const rules::Ruleset ruleset =
        parsed(forward(":A - [0:0]\n-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j A\n"
                       "-A A -p tcp ! --tcp-flags ACK ACK"));
    const auto compiled = rules::compile(ruleset, {}, nullptr);
    const auto flags = [](const rules::CompiledRuleset& of) {
        return of.tables[index_of(Family::Ipv4)][static_cast<std::size_t>(rules::TableId::Filter)]
            ->tcp_flags;
    };
    CHECK(flags(*compiled) == kSynRstAck);
    const rules::Ruleset added =
        parsed(forward(":A - [0:0]\n-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j A\n"
                       "-A A -p tcp ! --tcp-flags ACK ACK\n-A A -p tcp --tcp-flags FIN FIN"));
    CHECK(flags(*rules::compile(added, {}, compiled.get())) == (kSynRstAck | kFin));
    CHECK(flags(*rules::compile(parsed(forward("")), {}, compiled.get())) == 0);
}

TEST_CASE("a rule that asks for a TCP flag counts the packets that have it") {
    Firewall box(forward("-A FORWARD -p tcp --syn\n-A FORWARD -p tcp -j ACCEPT"));
    const PacketBuilder opening = tcp("10.0.0.2:1", "192.0.2.1:80").flags(2);
    const PacketBuilder going_on = tcp("10.0.0.2:1", "192.0.2.1:80").flags(16);
    for (unsigned round = 1; round <= 3; ++round) {
        CHECK(box.forward(opening).verdict == TargetVerdict::Accept);
        CHECK(box.forward(going_on).verdict == TargetVerdict::Accept);
        CHECK(box.count("FORWARD", 1).starts_with(std::to_string(round) + ":"));
        CHECK(box.count("FORWARD", 2).starts_with(std::to_string(2 * round) + ":"));
    }
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

TEST_CASE("a cache that knows too little rests, and looks again later") {
    VerdictCache cache;
    std::uint32_t looks = 0;
    while (cache.worth_a_look()) {
        REQUIRE(looks < 10000);
        CHECK(cache.repeat(sought(looks), 100) == nullptr);
        cache.remember(sought(looks), {}, {});
        ++looks;
    }
    CHECK(looks == VerdictCache::kPlaces / 2);
    std::uint32_t rested = 1;
    while (!cache.worth_a_look()) {
        REQUIRE(rested < 100000);
        ++rested;
    }
    CHECK(rested == VerdictCache::kPlaces * 4);
}

TEST_CASE("connections that fit have walks in places of their own, wherever they begin to count") {
    for (const unsigned count : {1u, 3u, 7u, 13u}) {
        const auto of = static_cast<std::uint8_t>(count);
        CAPTURE(count);
        std::set<std::size_t> places;
        std::size_t walks = 0;
        for (std::uint32_t connection = 70; walks + 2 * of <= VerdictCache::kPlaces; ++connection) {
            for (const CtInfo info : {CtInfo::Established, CtInfo::EstablishedReply}) {
                for (std::uint8_t order = 0; order < of; ++order) {
                    places.insert(place_of(connection, info, {order, of}));
                    ++walks;
                }
            }
        }
        CHECK(places.size() == walks);
        CHECK(*places.rbegin() < VerdictCache::kPlaces);
    }
}

TEST_CASE("where packets ask one of several chains, no place is left empty") {
    std::set<std::size_t> places;
    for (std::uint32_t connection = 0; connection < VerdictCache::kPlaces / 2; ++connection) {
        for (const CtInfo info : {CtInfo::Established, CtInfo::EstablishedReply}) {
            places.insert(place_of(connection, info, {1, 3}));
        }
    }
    CHECK(places.size() == VerdictCache::kPlaces);
}

TEST_CASE("a walk is not taken for that of another packet in its place") {
    VerdictCache cache;
    Meta meta;
    meta.conn = ConnId{1};
    rules::WalkKey first;
    rules::WalkKey second;
    second.destination_port = 53;
    const VerdictCache::Sought one(first, meta, {});
    const VerdictCache::Sought other(second, meta, {});
    REQUIRE(one.place == other.place);
    cache.remember(one, {.verdict = TargetVerdict::Drop}, {});
    CHECK(cache.repeat(one, 100) != nullptr);
    CHECK(cache.repeat(other, 100) == nullptr);
}

TEST_CASE("packets that begin connections are no reason to rest") {
    VerdictCache cache;
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const VerdictCache::Sought begins = sought(i, rules::ctstate::kNew);
        REQUIRE(cache.worth_a_look());
        CHECK(cache.repeat(begins, 100) == nullptr);
        cache.remember(begins, {}, {});
    }
}

TEST_CASE("walks that nobody could remember are no reason to rest") {
    VerdictCache cache;
    for (std::uint32_t i = 0; i < 5000; ++i) {
        REQUIRE(cache.worth_a_look());
        CHECK(cache.repeat(sought(i), 100) == nullptr);
    }
}

TEST_CASE("what is not told by the key is known of no instruction by chance") {
    using rules::Op;
    CHECK_FALSE(rules::told_by_key(Op::Call));
    CHECK_FALSE(rules::told_by_key(Op::IcmpType));
}

TEST_CASE("no rule needs more of a header than a packet of a known kind has") {
    constexpr std::array kPorts = {
        std::pair(proto::kTcp, "-p tcp -m tcp --dport 1"),
        std::pair(proto::kUdp, "-p udp -m udp --dport 1"),
        std::pair(proto::kUdplite, "-p udplite -m multiport --dports 1"),
        std::pair(proto::kSctp, "-p sctp -m sctp --dport 1"),
        std::pair(proto::kDccp, "-p dccp -m dccp --dport 1"),
    };
    for (const auto& [protocol, text] : kPorts) {
        CAPTURE(text);
        const rules::Ruleset ruleset = parsed(forward(std::string("-A FORWARD ") + text));
        const rules::Table& filter = ruleset.table(Family::Ipv4, rules::TableId::Filter);
        rules::Code code;
        for (const auto& match : filter.find("FORWARD")->rules[0].matches) {
            match->compile(code);
        }
        for (const rules::Instruction& each : code.instructions) {
            const bool header = each.op == rules::Op::TransportHeader;
            CHECK((!header || each.low <= rules::port_header_bytes(protocol)));
        }
    }
}

TEST_CASE("a cache that finds what it is asked for never rests") {
    VerdictCache cache;
    rules::RuleCounters counters;
    rules::RuleCounters* const counted[] = {&counters};
    cache.remember(sought(7), {.verdict = TargetVerdict::Drop, .rule = RuleId{9}}, counted);
    for (int i = 0; i < 5000; ++i) {
        REQUIRE(cache.worth_a_look());
        const rules::TableVerdict* known = cache.repeat(sought(7), 60);
        REQUIRE(known != nullptr);
        CHECK(known->verdict == TargetVerdict::Drop);
        CHECK(known->rule == RuleId{9});
    }
    CHECK(counters.packets == 5000);
    CHECK(counters.bytes == 300000);
}
