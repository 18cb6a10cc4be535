// Rules of a router in several shards: which of them each shard can have for itself, and what all
// of them have counted together.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/rules/language/parse.hpp"
#include "core/rules/needs.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/save.hpp"

using namespace nsr;

namespace {

rules::Ruleset ruleset_of(const std::string& text) {
    rules::Ruleset ruleset;
    const ConfigErrors errors = rules::parse_save(text, "rules.v4", Family::Ipv4, ruleset);
    REQUIRE_MESSAGE(errors.empty(), (errors.empty() ? std::string() : to_string(errors.front())));
    return ruleset;
}

std::string in_filter(const std::string& rules) {
    return "*filter\n" + rules + "\nCOMMIT\n";
}

std::string why_not(const std::string& text) {
    const auto needs = rules::needs_one_shard(ruleset_of(text));
    return needs ? to_string(*needs) : std::string();
}

bool has_words(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what looks at a packet, its connection or the clock can be divided") {
    for (const std::string rule :
         {"-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT",
          "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT",
          "-A FORWARD -m statistic --mode random --probability 0.5 -j DROP",
          "-A FORWARD -m connbytes --connbytes 100 --connbytes-dir both "
          "--connbytes-mode bytes -j DROP",
          "-A FORWARD -m time --timestart 08:00 -j LOG",
          "-A FORWARD -m connmark --mark 1 -j REJECT"}) {
        CAPTURE(rule);
        CHECK(why_not(in_filter(rule)).empty());
    }
    CHECK(why_not("*nat\n-A POSTROUTING -j MASQUERADE --random\n-A PREROUTING -p tcp -j DNAT "
                  "--to-destination 10.0.0.1:80\nCOMMIT\n")
              .empty());
    CHECK(why_not("*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n").empty());
}

TEST_CASE("what remembers packets cannot, and the refusal names the rule and the reason") {
    CHECK(why_not(in_filter("-A FORWARD -j ACCEPT\n-A FORWARD -m limit --limit 5/sec -j ACCEPT")) ==
          "rules.v4:3:4: \"-A FORWARD -m limit --limit 5/sec -j ACCEPT\" needs shards = 1: what -m "
          "limit "
          "remembers cannot be divided among several");
    for (const std::string match :
         {"-m hashlimit --hashlimit-upto 5/sec --hashlimit-name a", "-m recent --set",
          "-m connlimit --connlimit-above 3", "-m quota --quota 1000",
          "-m statistic --mode nth --every 2 --packet 0"}) {
        CAPTURE(match);
        CHECK(has_words(why_not(in_filter("-A FORWARD " + match + " -j ACCEPT")), "remembers"));
    }
}

TEST_CASE("nor can what is one for all flows") {
    CHECK(has_words(why_not(in_filter("-A FORWARD -m set --match-set a src -j DROP")),
                    "address sets"));
    CHECK(has_words(why_not(in_filter("-A FORWARD -j SET --add-set a src")), "address sets"));
    CHECK(has_words(why_not(in_filter("-A FORWARD -j NFLOG")), "-j NFLOG"));
    CHECK(has_words(why_not("*raw\n-A PREROUTING -j CT --zone 3\nCOMMIT\n"), "CT --zone"));
    CHECK(has_words(why_not("*raw\n-A PREROUTING -p tcp -j CT --helper ftp\nCOMMIT\n"),
                    "CT --helper"));
    CHECK(has_words(
        why_not("*nat\n-A POSTROUTING -j MASQUERADE --mapping endpoint-independent\nCOMMIT\n"),
        "mappings are for all destinations"));
}

TEST_CASE("counters of the same rules are summed; of others they are not") {
    const std::string text =
        "*filter\n:FORWARD DROP [3:30]\n[1:10] -A FORWARD -p udp -j ACCEPT\n"
        "[2:20] -A FORWARD -j DROP\nCOMMIT\n";
    rules::Counted sum = rules::Program(ruleset_of(text), {}).counted();
    rules::Counted more = sum;
    rules::add_counters(sum, more);
    const auto& counters = sum.counters.table(Family::Ipv4, rules::TableId::Filter);
    const rules::Table& table =
        std::as_const(sum.ruleset).table(Family::Ipv4, rules::TableId::Filter);
    const std::size_t forward = table.number_of("FORWARD");
    CHECK(counters.policy(forward).packets == 6);
    CHECK(counters.rule(forward, 0).packets == 2);
    CHECK(counters.rule(forward, 1).bytes == 40);
    more = rules::Program(ruleset_of(in_filter("-A FORWARD -j DROP")), {}).counted();
    rules::add_counters(sum, more);
    CHECK(counters.rule(forward, 0).packets == 2);
}

TEST_CASE("rules for another shard begin to count from zero") {
    const rules::Ruleset from_zero = rules::from_zero(
        ruleset_of("*filter\n:FORWARD DROP [3:30]\n[1:10] -A FORWARD -p udp -j ACCEPT\nCOMMIT\n"));
    const rules::Table& table = from_zero.table(Family::Ipv4, rules::TableId::Filter);
    const rules::Chain& forward = table.chains[table.number_of("FORWARD")];
    CHECK(forward.counters.packets == 0);
    CHECK(forward.rules[0].counters.bytes == 0);
    CHECK(forward.rules.size() == 1);
    CHECK(forward.policy == rules::Policy::Drop);
}
