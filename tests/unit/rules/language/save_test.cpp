// What goes in comes out in the form iptables-save gives it, and reads back as the same.
#include "core/rules/save.hpp"
#include "core/rules/language/parse.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

// The saved form of one rule of FORWARD.
std::string saved(std::string_view rule, std::string_view table = "filter",
                  Family family = Family::Ipv4) {
    const rules::Ruleset ruleset =
        parsed(forward("-A FORWARD " + std::string(rule), table), family);
    const auto id = *rules::parse_table(table);
    const rules::Chain& chain = *ruleset.table(family, id).find("FORWARD");
    REQUIRE(chain.rules.size() == 1);
    return rules::rule_text("FORWARD", chain.rules[0]).substr(sizeof("FORWARD"));
}

}  // namespace

// Recorded: each right side is what iptables-legacy-save 1.8.9 printed for the left side.
TEST_CASE("options are saved in the canonical form") {
    CHECK(saved("-p tcp --dport 80 -i lan+ ! -o wan -s 10.1 -d 10.2.0.0/255.255.0.0 -j DROP") ==
          "-s 10.1.0.0/32 -d 10.2.0.0/16 -i lan+ ! -o wan -p tcp -m tcp --dport 80 -j DROP");
    CHECK(saved("! -s 10.0.0.0/255.0.255.0 ! -p 17 -f") == "! -s 10.0.0.0/255.0.255.0 ! -p udp -f");
    CHECK(saved("-p tcp ! --syn --sport :1023 ! --dport 1024:") ==
          "-p tcp -m tcp --sport 0:1023 ! --dport 1024:65535 ! --tcp-flags FIN,SYN,RST,ACK SYN");
    CHECK(saved("-p tcp --tcp-flags ALL NONE --tcp-option 5") ==
          "-p tcp -m tcp --tcp-option 5 --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE");
    CHECK(saved("-p icmp --icmp-type fragmentation-needed") == "-p icmp -m icmp --icmp-type 3/4");
    CHECK(saved("-p icmp ! --icmp-type echo-request") == "-p icmp -m icmp ! --icmp-type 8");
    CHECK(saved("-m state --state ESTABLISHED,RELATED") == "-m state --state RELATED,ESTABLISHED");
    CHECK(
        saved(
            "-m conntrack --ctstate SNAT,NEW --ctproto tcp ! --ctorigdst 10.1.1.1 --ctexpire 5") ==
        "-m conntrack --ctstate NEW,SNAT --ctproto 6 ! --ctorigdst 10.1.1.1 --ctexpire 5");
    CHECK(saved("-m comment --comment \"it's \\\"so\\\"\"") ==
          "-m comment --comment \"it\\'s \\\"so\\\"\"");
    CHECK(saved("-m limit") == "-m limit --limit 3/hour");
    CHECK(saved("-m limit --limit 90/minute") == "-m limit --limit 90/min");
    CHECK(saved("-m limit --limit 1000/second --limit-burst 7") ==
          "-m limit --limit 1000/sec --limit-burst 7");
    CHECK(saved("-m statistic --mode random --probability 0.33333") ==
          "-m statistic --mode random --probability 0.33332999982");
    CHECK(saved("-m u32 --u32 \"6&0xFF=1 && 0>>22&0x3C@0=8:10\"") ==
          "-m u32 --u32 \"0x6&0xff=0x1&&0x0>>0x16&0x3c@0x0=0x8:0xa\"");
    CHECK(saved("-m string --hex-string \"|0a 0b|abc\" --algo bm") ==
          "-m string --hex-string \"|0a0b616263|\" --algo bm");
    CHECK(saved("-m recent --set") ==
          "-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource");
    const auto limit = [&](std::string_view rate) {
        const std::string text =
            saved("-m hashlimit --hashlimit-name x --hashlimit-upto " + std::string(rate));
        return text.substr(0, text.find(" --hashlimit-name"));
    };
    CHECK(limit("20mb/sec") == "-m hashlimit --hashlimit-upto 20mb/s");
    CHECK(limit("1000b/s") == "-m hashlimit --hashlimit-upto 992b/s");
    CHECK(limit("1000000b/s") == "-m hashlimit --hashlimit-upto 1000000b/s");
    CHECK(limit("268435455b/s") == "-m hashlimit --hashlimit-upto 257mb/s");
    CHECK(limit("512kb/s --hashlimit-burst 10mb") ==
          "-m hashlimit --hashlimit-upto 512kb/s --hashlimit-burst 10mb");
    CHECK(saved("-j REJECT") == "-j REJECT --reject-with icmp-port-unreachable");
    CHECK(saved("-j LOG --log-prefix \"inv: \" --log-level warning") ==
          "-j LOG --log-prefix \"inv: \"");
}

TEST_CASE(
    "a negated full range of ports is saved: iptables-save leaves it out, which inverts the rule") {
    CHECK(saved("-p udp ! --dport 0:65535") == "-p udp -m udp ! --dport 0:65535");
    CHECK(saved("-p udp --dport 0:65535") == "-p udp -m udp");
}

TEST_CASE("targets of other tables are saved in the canonical form") {
    CHECK(saved("-j MARK --set-mark 5", "mangle") == "-j MARK --set-xmark 0x5/0xffffffff");
    CHECK(saved("-j MARK --and-mark 0xff", "mangle") == "-j MARK --set-xmark 0x0/0xffffff00");
    CHECK(saved("-j CONNMARK --restore-mark", "mangle") ==
          "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff");
    CHECK(saved("-j TOS --set-tos Maximize-Throughput", "mangle") == "-j TOS --set-tos 0x08/0x3f");
    CHECK(saved("-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu", "mangle") ==
          "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu");
    CHECK(saved("-p ipv6-icmp -m icmpv6 --icmpv6-type ping", "mangle", Family::Ipv6) ==
          "-p ipv6-icmp -m icmp6 --icmpv6-type 128");
}

TEST_CASE("a list of addresses stands for a rule each, sources first") {
    const rules::Ruleset ruleset =
        parsed(forward("-A FORWARD -s 10.0.0.1,10.0.0.2 -d 10.1.0.0/16,10.2.0.0/16 -j ACCEPT"));
    const auto& chain = *ruleset.table(Family::Ipv4, rules::TableId::Filter).find("FORWARD");
    REQUIRE(chain.rules.size() == 4);
    CHECK(rules::rule_text("", chain.rules[1]) == "-s 10.0.0.1/32 -d 10.2.0.0/16 -j ACCEPT");
    CHECK(rules::rule_text("", chain.rules[2]) == "-s 10.0.0.2/32 -d 10.1.0.0/16 -j ACCEPT");
}

TEST_CASE("a whole file comes back with its chains, policies and counters") {
    constexpr std::string_view kText =
        "*nat\n:PREROUTING ACCEPT [1:2]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        ":POSTROUTING ACCEPT [3:4]\n:DOCKER - [0:0]\n"
        "[5:6] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
        "[0:0] -A POSTROUTING -s 10.0.9.0/24 -p udp -j SNAT --to-source"
        " 192.0.2.1-192.0.2.5:1024-2047 --persistent\n"
        "[0:0] -A POSTROUTING -s 10.0.1.0/24 ! -o lan -j MASQUERADE --random-fully\n"
        "[0:0] -A DOCKER ! -i lan -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.1.2:80\n"
        "COMMIT\n"
        "*filter\n:INPUT DROP [7:8]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:U - [0:0]\n"
        "[9:10] -A INPUT -p tcp -m state --state NEW -m multiport --dports 22,80,443 -m comment"
        " --comment \"ssh, web\" -j ACCEPT\n"
        "[0:0] -A FORWARD -g U\n"
        "COMMIT\n";
    const rules::Ruleset ruleset = parsed(kText);
    CHECK(rules::save(ruleset, Family::Ipv4, true) == kText);
    CHECK(rules::save(ruleset, Family::Ipv6, true).empty());
    CHECK(rules::save(ruleset, Family::Ipv4, false).find(":INPUT DROP [0:0]") != std::string::npos);
    CHECK(rules::save(ruleset, Family::Ipv4, false).find("\n-A FORWARD -g U\n") !=
          std::string::npos);
}

TEST_CASE("a file replaces the tables it names and leaves the others alone") {
    rules::Ruleset ruleset = parsed("*filter\n-A INPUT -j DROP\nCOMMIT\n*raw\n-A OUTPUT\nCOMMIT\n");
    REQUIRE(rules::parse_save("*filter\nCOMMIT\n", "two", Family::Ipv4, ruleset).empty());
    CHECK(ruleset.table(Family::Ipv4, rules::TableId::Filter).find("INPUT")->rules.empty());
    CHECK(ruleset.table(Family::Ipv4, rules::TableId::Raw).find("OUTPUT")->rules.size() == 1);
    CHECK_FALSE(
        rules::parse_save("*filter\n-A NOPE\nCOMMIT\n", "x", Family::Ipv4, ruleset).empty());
    CHECK(ruleset.table(Family::Ipv4, rules::TableId::Raw).find("OUTPUT")->rules.size() == 1);
}

TEST_CASE("-I puts a rule before others") {
    const rules::Ruleset ruleset =
        parsed(forward("-A FORWARD -j ACCEPT\n-I FORWARD -j DROP\n-I FORWARD 2 -j RETURN"));
    const auto& chain = *ruleset.table(Family::Ipv4, rules::TableId::Filter).find("FORWARD");
    REQUIRE(chain.rules.size() == 3);
    CHECK(rules::rule_text("", chain.rules[0]) == "-j DROP");
    CHECK(rules::rule_text("", chain.rules[1]) == "-j RETURN");
}
