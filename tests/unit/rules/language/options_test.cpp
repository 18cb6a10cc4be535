// Native rules: words, the owners of options, families, and what needs tracking.
#include "core/rules/language/check.hpp"
#include "core/rules/language/families.hpp"
#include "core/rules/language/native.hpp"
#include "core/rules/language/option_lookup.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/needs.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;

namespace {

std::string owners(std::string_view option) {
    std::string text;
    for (const rules::OptionOwner& owner : rules::owners_of_option(option)) {
        text += (owner.is_target ? "-j " : "") + owner.module + (owner.takes_value ? "= " : " ");
    }
    return text;
}

std::string families(const std::vector<std::string>& words) {
    const rules::FamilySupport support = rules::families_of(words);
    return std::string(support.ipv4 ? "4" : "") + (support.ipv6 ? "6" : "");
}

}  // namespace

TEST_CASE("an option knows the modules that have it") {
    CHECK(owners("source") == "= ");
    CHECK(owners("ctstate") == "conntrack= ");
    CHECK(owners("syn") == "tcp ");
    CHECK(owners("mark") == "mark= connmark= ");
    CHECK(owners("to-source") == "-j SNAT= ");
    CHECK(owners("random").find("-j MASQUERADE ") != std::string::npos);
    CHECK(owners("no-such-option").empty());
}

TEST_CASE("words restrict a rule to the families they make sense in") {
    CHECK(families({"-i", "lan", "-j", "ACCEPT"}) == "46");
    CHECK(families({"-s", "10.0.0.0/8"}) == "4");
    CHECK(families({"-s", "fd00::/8,fd01::/8"}) == "6");
    CHECK(families({"-p", "icmp"}) == "4");
    CHECK(families({"-p", "icmpv6", "-s", "10.0.0.1"}).empty());
    CHECK(families({"-m", "ttl", "--ttl-eq", "3"}) == "4");
    CHECK(families({"-j", "HL", "--hl-set", "3"}) == "6");
    CHECK(families({"-j", "MASQUERADE"}) == "46");
}

TEST_CASE("a rule of words may name -j and -p behind their options") {
    rules::Ruleset ruleset;
    ruleset.load(Family::Ipv4, TableId::Nat);
    const SourceLocation where{"demo.toml", 7, 3};
    const auto parsed =
        rules::parse_rules({"--to-source", "192.0.2.1", "--dport", "80", "-p", "tcp", "-j", "SNAT"},
                           Family::Ipv4, TableId::Nat, "POSTROUTING", ruleset, where);
    REQUIRE(parsed.ok());
    REQUIRE(parsed->size() == 1);
    const rules::Rule& rule = parsed->front();
    CHECK(rules::rule_text("", rule) == "-p tcp -m tcp --dport 80 -j SNAT --to-source 192.0.2.1");
    CHECK(rule.where.line == 7);
}

TEST_CASE("errors of a rule of words carry the place it came from") {
    rules::Ruleset ruleset;
    ruleset.load(Family::Ipv4, TableId::Filter);
    const auto parsed = rules::parse_rules({"-j", "NOPE"}, Family::Ipv4, TableId::Filter, "FORWARD",
                                           ruleset, {"demo.toml", 7, 3});
    REQUIRE_FALSE(parsed.ok());
    REQUIRE(parsed.error().size() == 1);
    CHECK(to_string(parsed.error()[0]).starts_with("demo.toml:7:3: no chain or target \"NOPE\""));
}

TEST_CASE("a list of addresses in a rule of words stands for several rules") {
    rules::Ruleset ruleset;
    ruleset.load(Family::Ipv4, TableId::Filter);
    const auto parsed = rules::parse_rules({"-s", "10.0.0.1,10.0.0.2", "-j", "DROP"}, Family::Ipv4,
                                           TableId::Filter, "FORWARD", ruleset, {});
    REQUIRE(parsed.ok());
    REQUIRE(parsed->size() == 2);
    CHECK(rules::rule_text("", (*parsed)[1]) == "-s 10.0.0.2/32 -j DROP");
}

TEST_CASE("rules that are added get ids of their own, and are checked together") {
    rules::Ruleset ruleset;
    rules::Table& table = ruleset.load(Family::Ipv4, TableId::Filter);
    table.add("U", rules::Policy::None);
    const auto add = [&](std::string_view chain, const std::vector<std::string>& words) {
        auto parsed =
            rules::parse_rules(words, Family::Ipv4, TableId::Filter, chain, ruleset, {"t", 1, 0});
        REQUIRE(parsed.ok());
        return rules::add_rule(ruleset, *table.find(chain), std::move(parsed->front()))->id;
    };
    const RuleId first = add("FORWARD", {"-j", "U"});
    CHECK(add("U", {"-i", "lan", "-j", "ACCEPT"}) != first);
    CHECK(rules::check(ruleset, Family::Ipv4).empty());
    add("U", {"-j", "U"});
    REQUIRE(rules::check(ruleset, Family::Ipv4).size() == 1);
}

TEST_CASE("the first rule that needs tracking is named, and a nat table counts as one") {
    CHECK(rules::needs_tracking(parsed(forward("-A FORWARD -p tcp -j ACCEPT")), Family::Ipv4)
              .empty());
    CHECK(rules::needs_tracking(parsed(forward("-A FORWARD\n-A FORWARD -m state --state NEW")),
                                Family::Ipv4) == "rules:3:4: FORWARD -m state --state NEW");
    const rules::Ruleset nat = parsed("*nat\nCOMMIT\n");
    CHECK_FALSE(rules::needs_tracking(nat, Family::Ipv4).empty());
    CHECK(rules::needs_tracking(nat, Family::Ipv6).empty());
    CHECK(rules::needs_tracking(parsed("*raw\n-A PREROUTING -j NOTRACK\nCOMMIT\n"), Family::Ipv4)
              .empty());
}

TEST_CASE("rules that read counters begin accounting when they come, not when others do") {
    const std::string reading = forward(
        "-A FORWARD -m connbytes --connbytes 3 --connbytes-dir both --connbytes-mode packets");
    const rules::Ruleset nothing;
    const rules::Ruleset before = parsed(reading);
    CHECK(rules::begins_accounting(before, nothing));
    CHECK_FALSE(rules::begins_accounting(nothing, before));
    rules::Ruleset others = before;
    REQUIRE(rules::parse_save("*nat\nCOMMIT\n", "rules", Family::Ipv4, others).empty());
    CHECK_FALSE(rules::begins_accounting(others, before));
    rules::Ruleset again = before;
    REQUIRE(rules::parse_save(reading, "rules", Family::Ipv4, again).empty());
    CHECK(rules::begins_accounting(again, before));
}
