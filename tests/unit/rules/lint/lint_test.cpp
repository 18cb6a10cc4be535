// Every check has a story: rules that it warns of, and rules next to them that nobody warns of.
#include "core/rules/lint/lint.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/rules/lint/condition.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::lint::Surroundings;

namespace {

struct Story {
    std::string_view check;
    std::string_view wrong;  // an iptables-save text of which this check alone warns, once
    std::string_view where;  // "rules:LINE"
    std::string_view says;   // part of the warning
    std::string_view right;  // of which nobody warns
    bool host = false;
};

// Chains that each jump twice to the next.
std::string doubling(int levels) {
    std::string text = "*filter\n";
    for (int i = 0; i <= levels; ++i) {
        text += ":C" + std::to_string(i) + " - [0:0]\n";
    }
    text += "-A FORWARD -j C0\n";
    for (int i = 0; i < levels; ++i) {
        for (const char* side : {" -i lan", " -o wan"}) {
            text += "-A C" + std::to_string(i) + side + " -j C" + std::to_string(i + 1) + "\n";
        }
    }
    return text + "COMMIT\n";
}
const std::string kTooManyJumps = doubling(16);
const std::string kManyJumps = doubling(15);

const std::vector<Story> kStories = {
    {"unreachable",
     "*filter\n-A FORWARD -i lan\n-A FORWARD -m comment --comment end -j DROP\n"
     "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n",
     "rules:4", "line 3 (-m comment --comment end -j DROP) ends chain FORWARD for every packet",
     "*filter\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -j "
     "DROP\n"
     "-A FORWARD -m comment --comment \"signature: 83WlR\"\nCOMMIT\n"},
    {"unreachable",
     "*filter\n:END - [0:0]\n:DEEPER - [0:0]\n-A FORWARD -j END\n-A FORWARD -j ACCEPT\n"
     "-A END -i lan -j ACCEPT\n-A END -j DEEPER\n-A DEEPER -j DROP\nCOMMIT\n",
     "rules:5", "line 4 (-j END)",
     "*filter\n:END - [0:0]\n-A FORWARD -j END\n-A FORWARD -j ACCEPT\n-A END -i lan -j RETURN\n"
     "-A END -j DROP\nCOMMIT\n"},
    {"unreachable",
     "*filter\n:END - [0:0]\n-A FORWARD -g END\n-A FORWARD -j ACCEPT\n-A END -i lan\nCOMMIT\n",
     "rules:4", "line 3 (-g END)",
     "*filter\n:END - [0:0]\n-A FORWARD -i lan -g END\n-A FORWARD -j ACCEPT\n-A END -j DROP\n"
     "COMMIT\n"},
    {"unreachable",
     "*nat\n-A POSTROUTING -j MASQUERADE\n-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.7\n"
     "COMMIT\n",
     "rules:3", "line 2 (-j MASQUERADE)",
     "*nat\n-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.7\n-A POSTROUTING -j MASQUERADE\n"
     "COMMIT\n"},
    {"shadowed",
     "*filter\n-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 1:1023 -j DROP\n"
     "-A FORWARD -s 10.9.0.0/16 -i lan -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n",
     "rules:3", "line 2 (-s 10.0.0.0/8 -p tcp -m tcp --dport 1:1023 -j DROP) of chain FORWARD",
     "*filter\n-A FORWARD -s 10.9.0.0/16 -i lan -p tcp -m tcp --dport 80 -j ACCEPT\n"
     "-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 1:1023 -j DROP\nCOMMIT\n"},
    {"shadowed",
     "*filter\n-A FORWARD -i la+ -m conntrack --ctstate NEW,RELATED,ESTABLISHED -j ACCEPT\n"
     "-A FORWARD -i lan -p udp -m conntrack --ctstate NEW -j DROP\nCOMMIT\n",
     "rules:3", "line 2",
     // The earlier one takes some of the packets only.
     "*filter\n-A FORWARD -i lan -m limit --limit 1/sec -j ACCEPT\n-A FORWARD -i lan -j DROP\n"
     "COMMIT\n"},
    {"shadowed",
     "*filter\n-A FORWARD ! -i lan -j DROP\n-A FORWARD ! -i lan -p tcp -j ACCEPT\nCOMMIT\n",
     "rules:3", "line 2 (! -i lan -j DROP)",
     // One line, of which the second rule is in the first.
     "*filter\n-A FORWARD -s 10.0.0.0/8,10.1.0.0/16 -j DROP\nCOMMIT\n"},
    {"shadowed",
     "*filter\n-A FORWARD -p udp -m multiport --dports 53,123 -j ACCEPT\n"
     "-A FORWARD -p udp -m udp --dport 53 -j DROP\nCOMMIT\n",
     "rules:3", "line 2",
     // A mark may be another when the second rule asks for it.
     "*mangle\n-A FORWARD -m mark --mark 0x1 -j ACCEPT\n-A FORWARD -j MARK --set-mark 1\n"
     "-A FORWARD -m mark --mark 0x1 -j ACCEPT\nCOMMIT\n"},
    {"never-matches", "*filter\n-A FORWARD ! -i + -j DROP\nCOMMIT\n", "rules:2",
     "what no packet has", "*filter\n-A FORWARD ! -i lan -j DROP\nCOMMIT\n"},
    {"never-matches", "*filter\n-A FORWARD -p udp -m udp --dport 30:20 -j DROP\nCOMMIT\n",
     "rules:2", "what no packet has",
     "*filter\n-A FORWARD -p udp -m udp ! --dport 30:20 -j DROP\nCOMMIT\n"},
    {"too-many-jumps", kTooManyJumps, "rules:19",
     "a packet may jump 131071 times from chain FORWARD", kManyJumps},
    {"nat-never-new",
     "*nat\n-A POSTROUTING -o wan -m conntrack --ctstate ESTABLISHED -j MASQUERADE\nCOMMIT\n",
     "rules:2", "not ESTABLISHED",
     "*nat\n-A POSTROUTING -o wan -m conntrack --ctstate NEW,ESTABLISHED -j MASQUERADE\nCOMMIT\n"},
    {"related-alone",
     "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT\n"
     "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n",
     "rules:4", "write RELATED,ESTABLISHED",
     "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
     "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n"},
    {"invalid-accepted", "*filter\n-A FORWARD -m state --state INVALID -j ACCEPT\nCOMMIT\n",
     "rules:2", "INVALID", "*filter\n-A FORWARD -m state --state INVALID -j DROP\nCOMMIT\n"},
    {"answers-dropped",
     "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i lan -o wan -j ACCEPT\nCOMMIT\n", "rules:3",
     "nothing in it accepts ESTABLISHED",
     "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i lan -o wan -j ACCEPT\n"
     "-A FORWARD -i wan -o lan -j ACCEPT\nCOMMIT\n"},
    {"answers-dropped",
     "*filter\n-A FORWARD -s 10.0.0.0/8 ! -d 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT\n"
     "-A FORWARD -j REJECT\nCOMMIT\n",
     "rules:2", "get no answer",
     "*filter\n:OPEN - [0:0]\n-A FORWARD -d 198.51.100.0/24 -p tcp -m tcp --dport 80 -j ACCEPT\n"
     "-A FORWARD -j OPEN\n-A FORWARD -j REJECT\n"
     "-A OPEN -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n"},
    {"host-answers-dropped",
     "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
     "-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT\nCOMMIT\n",
     "rules:3", "[host]",
     "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
     "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n",
     true},
    {"no-such-interface", "*filter\n-A FORWARD -i lam -j DROP\n-A FORWARD -o lam -j DROP\nCOMMIT\n",
     "rules:2", "there is no interface \"lam\"; did you mean \"lan\"?",
     "*filter\n-A FORWARD -i la+ -o lo -j DROP\nCOMMIT\n"},
    {"unused-chain", "*filter\n:ALONE - [0:0]\n-A ALONE -j DROP\nCOMMIT\n", "rules:3",
     "no rule of table filter goes to chain ALONE",
     "*filter\n:EMPTY - [0:0]\n:USED - [0:0]\n-A FORWARD -g USED\n-A USED -j DROP\nCOMMIT\n"},
    {"unused-chain",
     "*nat\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n-A B -i lan\n-A C -j B\n-A A -i lan\nCOMMIT\n",
     "rules:7", "goes to chain A, nor to 1 more",
     "*nat\n:A - [0:0]\n-A PREROUTING -j A\n-A A -i lan\nCOMMIT\n"},
    {"ftp-without-helper",
     "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j "
     "ACCEPT\n"
     "-A FORWARD -p tcp -m multiport --dports 20:21,80 -j ACCEPT\nCOMMIT\n",
     "rules:4", "data connections",
     // Whoever lets all of it pass needs no helper.
     "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j "
     "ACCEPT\n"
     "-A FORWARD -p tcp -m tcp --dport 21 -j ACCEPT\n"
     "-A FORWARD -p tcp -m tcp --dport 1024:65535 -j ACCEPT\nCOMMIT\n"},
};

std::string warnings_of(std::string_view text, bool host, Family family = Family::Ipv4) {
    const Surroundings surroundings{.interfaces = {"lan", "wan", "lo"}, .host = host};
    std::string lines;
    for (const ConfigError& warning : rules::lint::lint(parsed(text, family), surroundings)) {
        lines += warning_text(warning) + "\n";
    }
    return lines;
}

}  // namespace

TEST_CASE("lint: every check has a story, and is documented") {
    std::ifstream file(NSR_SOURCE_DIR "/docs/configuration.md");
    const std::string documentation{std::istreambuf_iterator<char>(file), {}};
    for (const rules::lint::Check& check : rules::lint::checks()) {
        CAPTURE(check.name);
        CHECK(std::any_of(kStories.begin(), kStories.end(),
                          [&](const Story& story) { return story.check == check.name; }));
        const std::string row =
            "| `" + std::string(check.name) + "` | " + std::string(check.says) + " |";
        CHECK(documentation.find(row) != std::string::npos);
    }
}

TEST_CASE("lint: the rules of a story are warned of once, by its check, and their like are not") {
    for (const Story& story : kStories) {
        CAPTURE(story.wrong);
        const std::string said = warnings_of(story.wrong, story.host);
        CAPTURE(said);
        CHECK(std::count(said.begin(), said.end(), '\n') == 1);
        CHECK(said.starts_with(std::string(story.where) + ": warning: "));
        CHECK(said.ends_with(" [" + std::string(story.check) + "]\n"));
        CHECK(said.find(story.says) != std::string::npos);
        CHECK(warnings_of(story.right, story.host) == "");
    }
}

TEST_CASE("lint: IPv6 is looked at with the same eyes") {
    const std::string said = warnings_of(
        "*filter\n-A FORWARD -s fd00::/8 -j DROP\n-A FORWARD -s fd00:1::/64 -j ACCEPT\nCOMMIT\n",
        false, Family::Ipv6);
    CHECK(said.starts_with("rules:3: warning: matches nothing: line 2 (-s fd00::/8 -j DROP)"));
}

TEST_CASE("lint: the same about both families is said once") {
    rules::Ruleset ruleset;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        REQUIRE(rules::parse_save("*filter\n-A FORWARD -i lam\nCOMMIT\n", "both", family, ruleset)
                    .empty());
    }
    CHECK(rules::lint::lint(ruleset, {.interfaces = {"lan"}}).size() == 1);
}

TEST_CASE("lint: where a program has many chains in use, it may keep some of their kind in stock") {
    const auto said_of = [](int in_use) {
        std::string chains = ":fw-ready - [0:0]\n";
        std::string rules = "-A fw-ready -j DROP\n";
        for (int i = 0; i < in_use; ++i) {
            const std::string chain = "fw-" + std::to_string(i);
            chains += ":" + chain + " - [0:0]\n";
            rules += "-A FORWARD -j " + chain + "\n";
        }
        return warnings_of("*filter\n" + chains + rules + "COMMIT\n", false);
    };
    CHECK(said_of(7).find("goes to chain fw-ready [unused-chain]") != std::string::npos);
    CHECK(said_of(8) == "");
}

TEST_CASE("lint: the helper of FTP, where it is asked for or loaded") {
    const std::string ftp =
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT\nCOMMIT\n";
    CHECK(rules::lint::lint(parsed(ftp), {}).size() == 1);
    CHECK(rules::lint::lint(parsed(ftp), {.helpers = {"ftp"}}).empty());
}

TEST_CASE(
    "lint: a thousand rules each of their own address, port or network are quickly compared") {
    std::string text = "*filter\n";
    for (int i = 0; i < 1000; ++i) {
        const std::string number = std::to_string(i);
        text += "-A FORWARD -s 10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
                "/32 -j DROP\n-A FORWARD -p tcp -m tcp --dport " + std::to_string(1000 + i) +
                " -j DROP\n";
    }
    text +=
        "-A FORWARD -s 10.0.3.7/32 -p udp -j ACCEPT\n-A FORWARD -p tcp -m tcp --dport 1500 -j "
        "ACCEPT\nCOMMIT\n";
    const std::string said = warnings_of(text, false);
    CHECK(std::count(said.begin(), said.end(), '\n') == 2);
}
