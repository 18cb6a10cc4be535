// Wrong rule files: what is said, and where.
#include "core/rules/language/parse.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

// The one error of a rule of FORWARD in filter, without its place.
std::string wrong(std::string_view rule, std::string_view chain = "FORWARD",
                  std::string_view table = "filter") {
    const std::string lines =
        errors_of(forward("-A " + std::string(chain) + " " + std::string(rule), table));
    INFO(lines);
    REQUIRE(!lines.empty());
    CHECK(lines.find('\n') == lines.size() - 1);
    const std::size_t colon = lines.find(": ");
    return lines.substr(colon + 2, lines.size() - colon - 3);
}

bool has(const std::string& text, std::string_view part) {
    INFO(text);
    const bool found = text.find(part) != std::string::npos;
    CHECK(found);
    return found;
}

}  // namespace

TEST_CASE("all errors of a file are told, each with its line and column") {
    CHECK(errors_of("*filter\n-A FORWARD -p tcp --dprot 80\n-A FORWARD -j ACEPT\n"
                    "-A FORWRD -j ACCEPT\nCOMMIT\n") ==
          "rules:2:19: unknown option \"--dprot\"; did you mean \"--dport\"?\n"
          "rules:3:12: no chain or target \"ACEPT\" in table filter; did you mean \"ACCEPT\"?\n"
          "rules:4:4: no chain \"FORWRD\" in table filter; did you mean \"FORWARD\"?\n");
}

TEST_CASE("an option that needs something else says what") {
    has(wrong("--dport 80"), "option \"--dport\" needs \"-p tcp\" or \"-p udp\"");
    has(wrong("--ctstate NEW"), "needs \"-m conntrack\"");
    has(wrong("-p udp -m tcp --dport 80"), "match \"tcp\" needs \"-p tcp\"");
    has(wrong("-p tcp --to-source 1.2.3.4"), "needs \"-j SNAT\"");
    has(wrong("-j REJECT --reject-with tcp-reset"), "tcp-reset needs \"-p tcp\"");
    has(wrong("-m multiport --dports 1"), "needs \"-p tcp\"");
    has(wrong("-j DNAT --to-destination 10.0.0.1:80", "PREROUTING", "nat"), "need a protocol");
    has(wrong("-p tcp -j TCPMSS --set-mss 1400"), "only works on SYNs");
}

TEST_CASE("names that nobody knows are met with the nearest that somebody does") {
    has(wrong("-m conntrak --ctstate NEW"),
        "match \"conntrak\" is not supported: there is no such extension; did you mean "
        "\"conntrack\"?");
    has(wrong("-p tpc"), "unknown protocol \"tpc\"; did you mean \"tcp\"?");
    has(wrong("-m conntrack --ctstate RELATD"), "did you mean \"RELATED\"?");
    has(wrong("-p icmp --icmp-type echo-requst"), "did you mean \"echo-request\"?");
    has(wrong("-j REJECT --reject-with icmp-prot-unreachable"), "unknown reject type");
    CHECK(errors_of("*filtre\n-A X\nCOMMIT\n") ==
          "rules:1:1: unknown table \"filtre\"; did you mean \"filter\"?\n");
}

TEST_CASE("a state given as a status, or the other way round, is pointed to its place") {
    has(wrong("-m conntrack --ctstatus DNAT"),
        "unknown status \"DNAT\" for --ctstatus; it is a state: --ctstate DNAT");
    has(wrong("-m conntrack --ctstate ASSURED"), "it is a status: -m conntrack --ctstatus ASSURED");
    has(wrong("-m state --state SNAT"), "-m conntrack --ctstate knows it");
    has(wrong("-m conntrack --ctstatus ASURED"), "did you mean \"ASSURED\"?");
}

TEST_CASE("what iptables has and we do not is said to be so, not taken for a slip") {
    has(wrong("-j SYNPROXY"),
        "target SYNPROXY is not supported: it would answer connections in the name of others");
}

TEST_CASE("what concerns no single option is said at the match or target") {
    CHECK(errors_of(forward("-A FORWARD -p tcp -m string --algo bm -j DROP"))
              .starts_with("rules:2:19: match \"string\" needs"));
    CHECK(errors_of("*filter\n-A FORWARD -m comment --comment \"x\nCOMMIT\n") ==
          "rules:2:33: a quote is opened and not closed\n");
    CHECK(errors_of("*filter\n-I FORWARD 2 -j DROP\nCOMMIT\n") ==
          "rules:2:12: chain FORWARD has no rule 2 to insert before\n");
}

TEST_CASE("rules that could be read are judged beside those that could not, and no error breeds") {
    CHECK(errors_of(
              "*nat\n:BAD ACCEPT\n-A BAD -j ACCEPT\n-A INPUT -j DNAT --to-destination 10.0.0.1\n"
              "COMMIT\n*filter\n:L - [0:0]\n-A L -p foo\n-I L 2 -j L\n-A INPUT -j L\nCOMMIT\n") ==
          "rules:2:1: table nat has no built-in chain \"BAD\"; a user chain has the policy \"-\"\n"
          "rules:4:4: target DNAT is not valid in INPUT; it is valid in PREROUTING, OUTPUT\n"
          "rules:8:6: unknown protocol \"foo\"\n"
          "rules:9:4: chain L would loop back to itself through chain L\n");
}

TEST_CASE("what is not legal in its table or chain is refused") {
    has(wrong("-i lan", "POSTROUTING", "mangle"), "-i cannot be used in POSTROUTING");
    has(wrong("-o lan", "INPUT"), "-o cannot be used in INPUT");
    has(wrong("-j REJECT", "FORWARD", "mangle"),
        "REJECT is only valid in table filter, not in mangle");
    has(wrong("-j SNAT --to-source 1.2.3.4", "PREROUTING", "nat"),
        "target SNAT is not valid in PREROUTING; it is valid in INPUT, POSTROUTING");
    has(wrong("-j DNAT --to-destination 1.2.3.4", "POSTROUTING", "nat"),
        "not valid in POSTROUTING");
    has(wrong("-j NOTRACK"), "only valid in table raw");
    has(errors_of("*raw\n-A PREROUTING -p tcp -j CT --helper irc\nCOMMIT\n", Family::Ipv6),
        "helper \"irc\" is for IPv4 only");
    has(wrong("-m bpf --bytecode 4,48 -j DROP"), "--bytecode: \"4,48\" is not a BPF program");
    has(wrong("-j DROP", "PREROUTING", "nat"), "nat table is not for filtering");
    has(wrong("-j INPUT"), "cannot jump to the built-in chain INPUT");
    has(wrong("-m rpfilter", "FORWARD", "mangle"), "\"rpfilter\" is not valid in FORWARD");
    has(errors_of("*nat\n:U - [0:0]\n-A POSTROUTING -j U\n-A U -j DNAT --to-destination 1.2.3.4\n"
                  "COMMIT\n"),
        "rules:4:4: target DNAT is not valid in POSTROUTING, from where chain U can be reached");
}

TEST_CASE("a user chain that nobody reaches may hold what it likes") {
    CHECK(errors_of("*nat\n:U - [0:0]\n-A U -j DNAT --to-destination 1.2.3.4\nCOMMIT\n").empty());
}

TEST_CASE("chains that lead back to themselves are refused") {
    has(errors_of(forward(":A - [0:0]\n:B - [0:0]\n-A A -j B\n-A B -g A\n-A FORWARD -j B")),
        "would loop back");
    has(errors_of(forward(":A - [0:0]\n-A A -j A\n-A FORWARD -i lan -j A")), "would loop back");
}

// kernel: mark_source_chains
TEST_CASE("what no packet reaches is not judged") {
    CHECK(errors_of(forward(":A - [0:0]\n:B - [0:0]\n-A A -j B\n-A B -g A")).empty());
    CHECK(
        errors_of(forward(":A - [0:0]\n-A A -j A\n-A FORWARD -j ACCEPT\n-A FORWARD -j A")).empty());
    CHECK(errors_of("*nat\n-A INPUT -j ACCEPT\n-A INPUT -j MASQUERADE\nCOMMIT\n").empty());
    has(errors_of(
            "*nat\n-A INPUT -m comment --comment x -j ACCEPT\n-A INPUT -j MASQUERADE\nCOMMIT\n"),
        "not valid in INPUT");
}

TEST_CASE("values are judged where they stand") {
    has(wrong("-s 10.0.0.300"), "\"10.0.0.300\" is not an IPv4 address");
    has(wrong("-s fd00::1"), "is not an IPv4 address");
    has(wrong("! -s 10.0.0.1,10.0.0.2"), "cannot stand before a list");
    has(wrong("-p tcp --dport 70000"), "\"70000\" is not a port");
    has(wrong("-p tcp --dport 90:80"), "\"90:80\" is not a port");
    has(wrong("-p tcp --dport"), "needs a value");
    has(wrong("-p tcp --dport 80 --dport 81"), "stands twice");
    has(wrong("-i averyverylongname"), "1 to 15 characters");
    has(wrong("-m mark --mark zebra"), "is not a mark");
    has(wrong("-m limit --limit 3/day"), "overflow");
    has(wrong("-m limit --limit 5/fortnight"), "is not a rate");
    has(wrong("-m connlimit --connlimit-upto 3 ! --connlimit-mask 24"),
        "\"!\" cannot stand before");
    has(wrong("! -p all"), "never match");
    has(wrong("-j CT --helper ftp", "PREROUTING", "raw"), "helper \"ftp\" needs \"-p tcp\"");
}

TEST_CASE("the frame of the file is judged, too") {
    has(errors_of("-A FORWARD\n"), "rules:1:1: \"-A\" stands outside of a table");
    has(errors_of("*filter\n-A FORWARD\n"), "rules:1:1: the table that begins here has no COMMIT");
    has(errors_of("*filter\n:FORWARD MAYBE [0:0]\nCOMMIT\n"), "unknown policy \"MAYBE\"");
    has(errors_of("*filter\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"),
        "no built-in chain \"PREROUTING\"");
    has(errors_of("*filter\n:U - [0:0]\n:U - [0:0]\nCOMMIT\n"), "declared twice");
    has(errors_of("*filter\n:ACCEPT - [0:0]\nCOMMIT\n"), "name of a target");
    has(errors_of("*filter\n-A FORWARD -m comment --comment \"open\nCOMMIT\n"), "quote");
    has(errors_of("*filter\n[x] -A FORWARD\nCOMMIT\n"), "is not [packets:bytes]");
    has(errors_of("*filter\n-Q\nCOMMIT\n"), "is not something iptables-save writes");
}

TEST_CASE("garbage of any kind is refused without a fuss") {
    std::string text =
        "*filter\n-A FORWARD -p tcp ! -m limit --limit 5/sec -j LOG --log-prefix \"x\"\nCOMMIT\n";
    RandomSource random(7);
    for (int i = 0; i < 20000; ++i) {
        std::string mutated = text;
        for (std::uint32_t n = random.below(4) + 1; n > 0; --n) {
            mutated[random.below(static_cast<std::uint32_t>(mutated.size()))] =
                "-!\"\\[]:/,= \nA0\xff"[random.below(16)];
        }
        rules::Ruleset ruleset;
        if (rules::parse_save(mutated, "m", Family::Ipv4, ruleset).empty()) {
            const std::string saved = rules::save(ruleset, Family::Ipv4, true);
            INFO(mutated);
            CHECK(rules::save(parsed(saved), Family::Ipv4, true) == saved);
        }
    }
}

TEST_CASE("hashlimit: rates and bursts of bytes that cannot be") {
    const std::string start = "-m hashlimit --hashlimit-name x --hashlimit-upto ";
    has(wrong(start + "15b/s"), "\"15b/s\" is not a rate from 16b/s to ");
    has(wrong(start + "32768mb/s"), "is not a rate from 16b/s");
    has(wrong(start + "5gb/s"), "\"5gb/s\" is not a rate such as 5/second, 1/hour or 512kb/s");
    has(wrong(start + "512kb/s --hashlimit-burst 1kb"),
        "with \"512kb/s\" a burst is a number of bytes from 512kb on, not \"1kb\"");
    has(wrong(start + "512kb/s --hashlimit-burst many"), "a burst is a number of bytes");
}

TEST_CASE("a path through as many chains as a file may have") {
    constexpr int kChains = 20000;
    std::string text = "*filter\n";
    for (int i = 0; i < kChains; ++i) {
        text += ":C" + std::to_string(i) + " -\n";
    }
    for (int i = 1; i < kChains; ++i) {
        text += "-A C" + std::to_string(i - 1) + " -j C" + std::to_string(i) + "\n";
    }
    rules::Ruleset ruleset;
    CHECK(rules::parse_save(text + "-A FORWARD -j C0\nCOMMIT\n", "rules", Family::Ipv4, ruleset)
              .empty());
    rules::Ruleset looped;
    const ConfigErrors errors = rules::parse_save(
        text + "-A FORWARD -j C0\n-A C19999 -j C5\nCOMMIT\n", "rules", Family::Ipv4, looped);
    REQUIRE(errors.size() == 1);
    has(errors[0].message, "chain C5 would loop back to itself through chain C19999");
}

TEST_CASE("a rate that is faster than its clock is refused") {
    for (const char* rate : {"10001/second", "600001/minute", "36000001/hour", "864000001/day"}) {
        has(wrong(std::string("-m limit --limit ") + rate), "at most 10000/second");
    }
    CHECK(errors_of(forward("-A FORWARD -m limit --limit 600000/minute")).empty());
}

TEST_CASE("limits whose product the kernel's counter could not hold are refused") {
    has(wrong("-m limit --limit 1/day --limit-burst 5"), "too great together");
    has(wrong("-m hashlimit --hashlimit-name x --hashlimit-mode srcip --hashlimit-upto 1/day "
              "--hashlimit-burst 2"),
        "too great together");
}
