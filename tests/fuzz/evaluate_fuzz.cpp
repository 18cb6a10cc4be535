// Rules made of every match and target that there is, and packets shown to them in every table and
// at every hook. What parses is stable through save and parse; whatever targets do to a packet, it
// stays one. An input begins with 4 or 6, then come rules up to an empty line, then packets. A rule
// that begins with - is a line of text, "-t filter -A FORWARD -p tcp -j LOG"; any other is made of
// the modules' own tables, so that none of them has to be guessed.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/packet/dissect.hpp"
#include "core/pipeline/network.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/language/native.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/save.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/sets/sets.hpp"
#include "tests/fuzz/support/packets.hpp"
#include "tests/fuzz/support/router.hpp"

namespace {

using namespace nsr;
using Words = std::vector<std::string>;

// What options are given, next to any text at all.
constexpr std::array<std::string_view, 80> kValues = {
    "0",
    "1",
    "2",
    "5",
    "22",
    "64",
    "80",
    "255",
    "1000",
    "1460",
    "65535",
    "4294967295",
    "0x1",
    "0x10/0xf0",
    "0xff",
    "1:100",
    "1000:2000",
    ":1001",
    "80:",
    "22,80,1000:1001",
    "10.0.0.0/8",
    "10.0.0.9",
    "10.0.0.9:1000",
    "192.0.2.1:1000-1003",
    "10.0.0.2-10.0.0.9",
    "fd00::/16",
    "fd00:1::9",
    "[fd00:1::9]:1000",
    "fd00:1::2-fd00:1::9",
    "10.0.0.0/24",
    "any",
    "echo-request",
    "8/0",
    "3/1",
    "128",
    "SYN",
    "SYN,ACK",
    "SYN,ACK,FIN,RST",
    "ALL",
    "NONE",
    "NEW",
    "ESTABLISHED",
    "NEW,ESTABLISHED,RELATED",
    "INVALID,UNTRACKED",
    "SNAT,DNAT",
    "ASSURED,SEEN_REPLY",
    "ORIGINAL",
    "REPLY",
    "both",
    "packets",
    "bytes",
    "10/second",
    "3/minute",
    "100kb/s",
    "100",
    "srcip",
    "srcip,dstport",
    "srcip,srcport,dstip,dstport",
    "foo",
    "a.b",
    "LOCAL",
    "UNICAST",
    "LOCAL,BROADCAST,MULTICAST",
    "lan",
    "wan",
    "la+",
    "random",
    "nth",
    "0.5",
    "bm",
    "kmp",
    "GET",
    "6&0xFF=0x6",
    "0>>22&0x3C@12&0xFFFF=0x1:0x50",
    "DATA",
    "INIT,ABORT",
    "icmp-port-unreachable",
    "tcp-reset",
    "AF11",
    "hop-by-hop,frag",
};
constexpr std::array<std::string_view, 12> kProtocols = {
    "tcp", "tcp", "udp", "udp", "icmp", "icmpv6", "sctp", "udplite", "dccp", "ah", "esp", "47"};
constexpr std::array kHooks = {Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output,
                               Hook::Postrouting};
constexpr std::array<std::string_view, 3> kVerdicts = {"ACCEPT", "DROP", "RETURN"};

std::string read_value(fuzz::Input& in) {
    const std::uint8_t which = in.byte();
    return which < 200 ? std::string(kValues[which % kValues.size()]) : in.until('\0');
}

void read_option(fuzz::Input& in, const rules::OptionSpec& option, Words& words) {
    const std::uint8_t how = in.byte();
    if (option.invertible && (how & 1) != 0) {
        words.emplace_back("!");
    }
    words.push_back("--" + std::string(option.name));
    for (int i = 0; i < option.values; ++i) {
        words.push_back(read_value(in));
    }
}

void read_options(fuzz::Input& in, std::span<const rules::OptionSpec> options, Words& words) {
    if (options.empty()) {
        return;
    }
    for (int left = in.byte() % 4; left > 0; --left) {
        read_option(in, options[in.byte() % options.size()], words);
    }
}

Words read_rule(fuzz::Input& in) {
    Words words;
    const std::uint8_t protocol = in.byte();
    if (protocol < 200) {
        words = {"-p", std::string(kProtocols[protocol % kProtocols.size()])};
    }
    for (int left = in.byte() % 4; left > 0; --left) {
        const auto matches = rules::match_modules();
        const rules::MatchModule& match = *matches[in.byte() % matches.size()];
        words.insert(words.end(), {"-m", std::string(match.name)});
        read_options(in, match.options, words);
    }
    const auto targets = rules::target_modules();
    const std::size_t which = in.byte() % (targets.size() + kVerdicts.size());
    words.emplace_back("-j");
    if (which >= targets.size()) {
        words.emplace_back(kVerdicts[which - targets.size()]);
    } else {
        words.emplace_back(targets[which]->name);
        read_options(in, targets[which]->options, words);
    }
    return words;
}

Words words_of(const std::string& line) {
    std::istringstream in(line);
    return {std::istream_iterator<std::string>(in), std::istream_iterator<std::string>()};
}

struct Placed {
    rules::TableId table;
    Hook hook;
    Words words;
};

// Nothing: the line names no place.
std::optional<Placed> read_placed(fuzz::Input& in, std::uint8_t first) {
    if (first != '-') {
        return Placed{static_cast<rules::TableId>(first % rules::kTableCount),
                      static_cast<Hook>(first / rules::kTableCount % kHooks.size()), read_rule(in)};
    }
    Words words = words_of(in.line());  // t TABLE -A CHAIN ...
    const auto table = words.size() < 4 ? std::nullopt : rules::parse_table(words[1]);
    const auto hook = std::find_if(kHooks.begin(), kHooks.end(),
                                   [&](Hook one) { return table && words[3] == name_of(one); });
    if (hook == kHooks.end()) {
        return std::nullopt;
    }
    words.erase(words.begin(), words.begin() + 4);
    return Placed{*table, *hook, std::move(words)};
}

// Adds the rule (or rules, of a list of addresses) if it is one, and may stand there.
void add_rule(const Placed& placed, Family family, rules::Ruleset& ruleset) {
    if (!rules::has_chain(placed.table, placed.hook)) {
        return;
    }
    rules::Ruleset more = ruleset;
    more.load(family, placed.table);
    const std::string chain(name_of(placed.hook));
    auto parsed =
        rules::parse_rules(placed.words, family, placed.table, chain, more, {"fuzz", 1, 1});
    if (!parsed.ok()) {
        NSR_CHECK(!parsed.error().empty() && !parsed.error().front().message.empty());
        return;
    }
    for (rules::Rule& rule : *parsed) {
        rules::add_rule(more, *more.table(family, placed.table).find(chain), std::move(rule));
    }
    if (rules::check(more, family).empty()) {
        ruleset = std::move(more);
    }
}

rules::Ruleset read_ruleset(fuzz::Input& in, Family family) {
    constexpr int kMostRules = 16;
    rules::Ruleset ruleset;
    for (int left = kMostRules; left > 0 && !in.done(); --left) {
        const std::uint8_t first = in.byte();
        if (first == '\n') {
            break;
        }
        if (const auto placed = read_placed(in, first)) {
            add_rule(*placed, family, ruleset);
        }
    }
    return ruleset;
}

void check_saved(const rules::Ruleset& ruleset, Family family) {
    const std::string saved = rules::save(ruleset, family, true);
    rules::Ruleset again;
    NSR_CHECK(rules::parse_save(saved, "saved", family, again).empty());
    NSR_CHECK(rules::save(again, family, true) == saved);
}

struct NoLog final : LogSink {
    void log(Instant, LogLevel, std::string_view line) override { NSR_CHECK(!line.empty()); }
};

// Every table at every hook, whatever the one before it decided.
void show_everywhere(rules::Program& program, const Packet& packet, const Router& router,
                     conntrack::Conntrack& conntrack, Instant now) {
    const pipeline::RoutingNetwork network(router.interfaces(), router.routes());
    constexpr SipKey kHashKey{1, 2};
    RandomSource random(1);
    NoLog log;
    sets::Sets sets(1, 2);
    for (std::size_t place = 0; place < rules::kTableCount * kHooks.size(); ++place) {
        const auto table = static_cast<rules::TableId>(place % rules::kTableCount);
        const Hook hook = kHooks[place / rules::kTableCount];
        if (!program.has(packet.layout.family, table, hook)) {
            continue;
        }
        Packet shown = packet.clone();
        const bool arrives = hook == Hook::Prerouting || hook == Hook::Input;
        shown.meta.in = hook == Hook::Output ? IfIndex::None : packet.meta.in;
        shown.meta.out = arrives ? IfIndex::None : fuzz::kWan;
        rules::ActionParam par{.packet = shown,
                               .table = table,
                               .hook = hook,
                               .now = now,
                               .conntrack = conntrack,
                               .network = network,
                               .random = random,
                               .log = log,
                               .sets = sets,
                               .hash_key = kHashKey};
        static_cast<void>(program.run(par));
        NSR_CHECK(dissect(shown).accepted());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    const Family family = in.byte() == '6' ? Family::Ipv6 : Family::Ipv4;
    rules::Ruleset ruleset = read_ruleset(in, family);
    check_saved(ruleset, family);
    BufferPool pool;
    const std::unique_ptr<Router> router = fuzz::make_router({});
    rules::Program program(ruleset, {{"lan", fuzz::kLan}, {"wan", fuzz::kWan}});
    Instant now{std::chrono::seconds(1000)};
    NoLog log;
    conntrack::Conntrack conntrack(conntrack::Settings{}, {{3, 4}, log, nullptr});
    conntrack.set_active(family, true, now);
    router->apply(std::move(ruleset), now);
    while (!in.done()) {
        now += std::chrono::milliseconds(100);
        fuzz::MadePacket made = fuzz::read_packet(in, pool);
        if (made.packet.empty()) {
            continue;
        }
        Packet tracked = made.packet.clone();
        if (dissect(tracked).accepted() && conntrack.track(tracked, now).accepted()) {
            show_everywhere(program, tracked, *router, conntrack, now);
            conntrack.release(tracked);
        }
        EgressQueue out;
        router->receive({&made.packet, 1}, now, out);
        fuzz::check_egress(*router, out, false);
    }
    return 0;
}
