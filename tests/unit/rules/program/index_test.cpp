// The index of a chain changes nothing but the time: random rules and random packets, once with the
// index and once rule by rule, as somebody who watches has it.
#include <array>
#include <string>

#include "core/rules/language/parse.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/save.hpp"
#include "core/wire/protocol.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;

namespace {

// A firewall and packets for it, both by chance.
class Chance {
  public:
    Chance(std::uint64_t seed, Family family) : random_(seed), v6_(family == Family::Ipv6) {}

    std::string rules(TableId table, Hook hook, std::size_t count) {
        const std::string_view chain = name_of(hook);
        std::string text = "*" + std::string(name_of(table)) + "\n";
        for (unsigned i = 0; i < kChains; ++i) {
            text += ":C" + std::to_string(i) + " - [0:0]\n";
        }
        for (std::size_t i = 0; i < count; ++i) {
            const unsigned place = below(2) == 0 ? 0 : below(kChains + 1);
            const std::string name = place == 0 ? std::string(chain) : chain_name(place - 1);
            text += "-A " + name + conditions(place == 0, hook) + target(table, place) + "\n";
        }
        return text + "COMMIT\n";
    }

    // Sets for the rules to ask: of all kinds, small and large, with and without an effect.
    sets::Sets sets() {
        sets::Sets made(1, 2);
        for (unsigned i = 0; i < kSets; ++i) {
            constexpr std::array<std::string_view, 9> kTypes = {
                "hash:ip",      "hash:net",        "hash:ip,port", "hash:net,port", "hash:ip,mark",
                "hash:net,net", "hash:ip,port,ip", "bitmap:port",  "list:set"};
            sets::SetSpec spec;
            spec.type = sets::find_type(kTypes[i < 18 ? i % 9 : below(9)]);
            const bool hash = spec.type->storage == sets::Storage::Hash;
            spec.family = hash ? (v6_ ? Family::Ipv6 : Family::Ipv4) : Family::None;
            spec.last = hash ? 0 : 65535;
            spec.counters = below(2) == 0;
            if (below(4) == 0) {
                spec.timeout = below(2);
            }
            if (spec.type->name == "hash:ip" && below(3) == 0) {
                spec.netmask = static_cast<std::uint8_t>(v6_ ? 56 : 24);
            }
            REQUIRE(made.create(set_name(i), spec, false) == sets::Failure::None);
            fill(made, *made.id_of(set_name(i)), below(5) == 0 ? 100 : below(4));
        }
        return made;
    }

    PacketBuilder packet() {
        const std::string from = address();
        const std::string to = address();
        const std::array<std::uint8_t, 7> protocols = {6, 17, 1, 132, 136, 47, 33};
        switch (below(8)) {
            case 0:
                return ip(protocols[below(7)], from, to).payload(below(30));  // cut short, or not
            case 1:
                return ip(v6_ ? 59 : 1, from, to).payload(below(12));
            case 2: {
                const std::uint16_t offset = static_cast<std::uint16_t>(8 * below(3));
                return tcp(with_port(from), with_port(to)).payload(64).fragment(offset, true, 24);
            }
            case 3:
                return v6_ ? ip(58, from, to).payload(16) : ping(from, to);
            case 4:
            case 5:
                return udp(with_port(from), with_port(to)).payload(below(40));
            default:
                return tcp(with_port(from), with_port(to)).syn();
        }
    }
    unsigned below(unsigned bound) { return random_.below(bound); }

  private:
    static constexpr unsigned kChains = 4;

    static constexpr unsigned kSets = 24;

    static std::string set_name(unsigned number) { return "S" + std::to_string(number); }
    void fill(sets::Sets& made, sets::SetId id, unsigned count) {
        const sets::Set& set = made.get(id);
        for (unsigned i = 0; i < count; ++i) {
            if (set.type().storage == sets::Storage::List) {
                made.add_member(id, {set_name(below(kSets / 2))}, {}, true, Instant{});
                continue;
            }
            const bool near = below(2) == 0;
            sets::Element element{.ip = near ? *parse_address(address()) : far_address(i),
                                  .ip2 = *parse_address(address()),
                                  .protocol = static_cast<std::uint8_t>(below(2) == 0 ? 6 : 17),
                                  .port = static_cast<std::uint16_t>(below(2) == 0 ? 80 : 22)};
            const std::array<std::uint8_t, 5> lengths =
                v6_ ? std::array<std::uint8_t, 5>{128, 64, 60, 32, 7}
                    : std::array<std::uint8_t, 5>{32, 24, 20, 8, 7};
            element.prefix = lengths[below(5)];
            element.prefix2 = lengths[below(5)];
            const bool exception = set.type().has_nomatch() && below(3) == 0;
            made.add(id, element, {.nomatch = exception}, true, Instant{});
        }
    }
    IpAddress far_address(unsigned number) const {
        IpAddress made = *parse_address(v6_ ? "2001:db8:5::" : "172.16.0.0");
        made.words[v6_ ? 3 : 0] += number + 1;
        return made;
    }
    std::string asked_set() {
        const std::string directions =
            pick({"src", "dst", "src,src", "src,dst", "dst,dst", "dst,src", "src,dst,dst"});
        return set_name(below(kSets + 1)) + " " + directions;  // one is not there
    }
    std::string set_match() {
        return " -m set" + maybe_not() + " --match-set " + asked_set() +
               pick({"", "", "", " --return-nomatch", " ! --update-counters",
                     " ! --update-subcounters", " --packets-gt 2", " ! --bytes-eq 0"});
    }
    std::string multiport() {
        return " -m multiport" + maybe_not() + pick({" --dports ", " --sports ", " --ports "}) +
               pick({"22", "22,80", "80:81,443", "1000:2000", "0:65535", "22:443,80:1000,65535",
                     "2000,1:80", "81"});
    }
    static std::string chain_name(unsigned number) { return "C" + std::to_string(number); }
    std::string pick(std::initializer_list<const char*> texts) {
        return *(texts.begin() + below(static_cast<unsigned>(texts.size())));
    }
    std::string maybe_not() { return below(6) == 0 ? " !" : ""; }
    std::string address() {
        return v6_ ? pick({"fd00::1", "fd00::2", "fd00:0:0:1::1", "2001:db8::7", "2001:db8:1::9"})
                   : pick({"10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.0.7", "192.0.2.9"});
    }
    std::string with_port(const std::string& address) {
        const std::string port = pick({":22", ":80", ":81", ":443", ":1000", ":2000", ":65535"});
        return (v6_ ? "[" + address + "]" : address) + port;
    }
    std::string network() {
        return address() +
               (v6_ ? pick({"", "/128", "/64", "/63", "/48", "/7", "/0", "/ffff::1"})
                    : pick({"", "/32", "/31", "/24", "/16", "/9", "/0", "/255.0.0.255"}));
    }
    std::string interface() { return pick({"lan", "wan", "l+", "w+", "+", "other"}); }
    std::string ports() {
        return pick({"22", "80", "81", "443", "1000", "0:100", "80:81", "500:3000", "1000:1000",
                     "22:65535", "0:65535"});
    }
    // In a built-in chain nobody may ask for what is not known there.
    std::string conditions(bool built_in, Hook hook) {
        const bool in = !built_in || (hook != Hook::Output && hook != Hook::Postrouting);
        const bool out = !built_in || (hook != Hook::Input && hook != Hook::Prerouting);
        std::string text;
        if (below(2) == 0) {
            text += maybe_not() + " -s " + network();
        }
        if (below(2) == 0) {
            text += maybe_not() + " -d " + network();
        }
        if (in && below(4) == 0) {
            text += maybe_not() + " -i " + interface();
        }
        if (out && below(4) == 0) {
            text += maybe_not() + " -o " + interface();
        }
        text += transport();
        return text + extension();
    }
    std::string transport() {
        const std::string protocol = pick({"tcp", "udp", "sctp", "dccp", "udplite"});
        switch (below(7)) {
            case 0:
                return maybe_not() + " -p " + protocol;
            case 6:
                return " -p " + protocol + (below(4) == 0 ? extension() : "") + multiport();
            case 1:
                return v6_ ? " -p ipv6-icmp" : " -p icmp --icmp-type 8";
            case 2:
            case 3: {
                if (protocol == "udplite") {
                    return " -p udp";
                }
                // What has an effect may stand before the ports.
                const std::string before = below(3) == 0 ? extension() : "";
                std::string text = " -p " + protocol + before + " -m " + protocol;
                text += below(2) == 0 ? maybe_not() + " --sport " + ports() : "";
                return text + maybe_not() + " --dport " + ports();
            }
            default:
                return "";
        }
    }
    std::string extension() {
        switch (below(36)) {
            case 8:
            case 9:
            case 10:
            case 11:
            case 12:
            case 13:
                return set_match();
            case 14:
                return set_match() + set_match();
            case 0:
                return " -m limit --limit 5/sec --limit-burst 3";
            case 1:
                return " -m statistic --mode nth --every 3 --packet 0";
            case 2:
                return " -m statistic --mode random --probability 0.5";
            case 3:
                return " -m recent --name R" + pick({"1", "2"}) + pick({" --set", " --update"});
            case 4:
                return " -m mark --mark 0x1/0x1";
            case 5:
                return " -m conntrack --ctstate INVALID,NEW";
            case 6:
                return " -m quota --quota 500";
            case 7:
                return " -m length --length 40:80";
            default:
                return "";
        }
    }
    std::string target(TableId table, unsigned place) {
        const bool jumps = place < kChains && below(3) == 0;
        if (jumps) {
            return pick({" -j ", " -g "}) + chain_name(place + below(kChains - place));
        }
        if (table == TableId::Mangle && below(3) == 0) {
            return " -j MARK --set-xmark 0x1/0x3";
        }
        if (below(12) == 0) {
            return pick(
                       {" -j SET --add-set ", " -j SET --exist --add-set ", " -j SET --del-set "}) +
                   asked_set();
        }
        if (table == TableId::Nat) {
            return pick({" -j ACCEPT", " -j RETURN", "", "", ""});
        }
        return pick({" -j ACCEPT", " -j DROP", " -j RETURN", "", "", "", ""});
    }

    RandomSource random_;
    bool v6_;
};

struct Place {
    TableId table;
    Hook hook;
};
constexpr std::array kPlaces = {
    Place{TableId::Raw, Hook::Prerouting},  Place{TableId::Mangle, Hook::Forward},
    Place{TableId::Nat, Hook::Postrouting}, Place{TableId::Filter, Hook::Forward},
    Place{TableId::Filter, Hook::Input},    Place{TableId::Security, Hook::Output},
};

// What is in the sets, and what they have counted.
std::string contents(const sets::Sets& sets, Instant now) {
    std::string text;
    for (const sets::SetId id : sets.all()) {
        text += sets.name_of(id) + ":";
        sets::Set::Entry entry;
        std::uint64_t cursor = 0;
        for (auto step = sets::Set::Step::Gap; step != sets::Set::Step::End;) {
            step = sets.get(id).walk(cursor, entry, now);
            if (step == sets::Set::Step::Entry) {
                text += " " + to_string(entry.element.ip) + "/" +
                        std::to_string(entry.element.prefix) + "," +
                        std::to_string(entry.element.port) + "=" +
                        std::to_string(entry.known.packets.value_or(0)) + "," +
                        std::to_string(entry.known.bytes.value_or(0));
            }
        }
        text += "\n";
    }
    return text;
}

std::string counted(const Firewall& box, Family family) {
    const auto [ruleset, counters] = box.program.counted();
    return rules::save(ruleset, family, counters) + std::to_string(box.program.remembered());
}

rules::TableVerdict show(Firewall& box, Packet& packet, const Place& place,
                         rules::RuleObserver* observer) {
    rules::ActionParam par{packet,      place.table, place.hook, box.now,  box.conntrack,
                           box.network, box.random,  box.log,    box.sets, box.hash_key};
    return box.program.run(par, observer);
}

template <class NextPacket>
void compare(const std::string& text, Family family, const Place& place, Chance& chance,
             NextPacket next_packet) {
    Firewall quick(text, family);
    Firewall plain(text, family);
    Chance filling(chance.below(1000), family);
    Chance filling_again = filling;
    quick.sets = filling.sets();
    plain.sets = filling_again.sets();
    struct : rules::RuleObserver {
        void rule_tried(const rules::RuleTried&) override {}
        void policy_applied(TableId, std::string_view, rules::Policy) override {}
    } watching;
    std::vector<PacketBuilder> seen;
    for (int i = 0; i < 80; ++i) {
        const bool again = !seen.empty() && chance.below(2) == 0;
        const PacketBuilder built =
            again ? seen[chance.below(static_cast<unsigned>(seen.size()))] : next_packet();
        seen.push_back(built);
        Packet one = quick.packet(built, place.hook);
        Packet two = plain.packet(built, place.hook);
        const rules::TableVerdict a = show(quick, one, place, nullptr);
        const rules::TableVerdict b = show(plain, two, place, &watching);
        CHECK(a.verdict == b.verdict);
        CHECK(raw(a.rule) == raw(b.rule));
        CHECK(a.exhausted == b.exhausted);
        CHECK(one.meta.mark == two.meta.mark);
        const Duration time = std::chrono::milliseconds(chance.below(300));
        quick.wait(time);
        plain.wait(time);
    }
    CHECK(counted(quick, family) == counted(plain, family));
    CHECK(contents(quick.sets, quick.now) == contents(plain.sets, plain.now));
    CHECK(quick.random.next64() == plain.random.next64());
}

void compare(std::uint64_t seed, Family family, std::size_t rules) {
    CAPTURE(seed);
    Chance chance(seed, family);
    const Place& place = kPlaces[chance.below(kPlaces.size())];
    const std::string text = chance.rules(place.table, place.hook, rules);
    CAPTURE(text);
    compare(text, family, place, chance, [&] { return chance.packet(); });
}

}  // namespace

TEST_CASE(
    "indexes and verdicts that are known change no verdict, no counter, and nothing that rules "
    "remember") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            compare(seed, family, 3 + seed % 8 * 25);
        }
    }
}

TEST_CASE("an index changes nothing where a chain has several blocks") {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        compare(1000, family, 6000);
    }
}

TEST_CASE("an index leaves out blocks of a long chain, but none that has a rule for the packet") {
    Chance chance(7, Family::Ipv4);
    const auto address = [](unsigned number) {
        return "10." + std::to_string(number / 200) + "." + std::to_string(number % 200) + ".1";
    };
    constexpr unsigned kRules = 7000;
    std::string lines;
    for (unsigned i = 0; i < kRules; ++i) {
        const std::string port = std::to_string(1000 + i / 500);
        switch (i % 3) {
            case 0:
                lines += "-A FORWARD -s " + address(i) + "\n";
                break;
            case 1:
                lines += "-A FORWARD -d " + address(i) + " -p udp --dport " + port + "\n";
                break;
            default:
                lines += "-A FORWARD -p udp --sport " + std::to_string(1500 + i) + ":" +
                         std::to_string(1510 + i) + "\n";
        }
    }
    compare(forward(lines), Family::Ipv4, {TableId::Filter, Hook::Forward}, chance, [&] {
        const unsigned number = chance.below(kRules);
        const std::string from = address(chance.below(kRules));
        return udp(from + ":" + std::to_string(1500 + chance.below(kRules)),
                   address(number) + ":" + std::to_string(1000 + number / 500));
    });
}
