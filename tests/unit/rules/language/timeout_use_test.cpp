// Which timeout policies rules may name. What is refused is what a Linux 6.18 kernel refused.
#include "core/rules/timeout_use.hpp"

#include "core/rules/language/families.hpp"
#include "core/rules/save.hpp"
#include "core/wire/protocol.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

const conntrack::TimeoutCatalogue kKnown = {
    {"tt", {Family::Ipv4, proto::kTcp}},
    {"t6", {Family::Ipv6, proto::kTcp}},
    {"uu", {Family::Ipv4, proto::kUdp}},
    {"ul", {Family::Ipv4, proto::kUdplite}},
    {"ge", {Family::Ipv4, conntrack::kGenericProtocol}},
    {"i6", {Family::Ipv4, proto::kIcmpv6}},
};

// What is said of a rule; empty: nothing is wrong.
std::string said(std::string_view rule, Family family = Family::Ipv4) {
    const std::string text = "*raw\n-A PREROUTING " + std::string(rule) + "\nCOMMIT\n";
    rules::Ruleset ruleset;
    ConfigErrors errors = rules::parse_save(text, "rules", family, ruleset);
    if (errors.empty()) {
        errors = rules::check_timeouts(ruleset, kKnown);
    }
    return errors.empty() ? "" : errors.front().message;
}

}  // namespace

TEST_CASE("a rule names a policy of its own family and protocol") {
    CHECK(said("-p tcp -j CT --timeout tt") == "");
    CHECK(said("-p tcp -j CT --timeout t6", Family::Ipv6) == "");
    CHECK(said("-p udplite -j CT --timeout ul") == "");
    CHECK(said("-p icmpv6 -j CT --timeout i6") == "");
    CHECK(said("-p 99 -j CT --timeout ge") == "");
    CHECK(said("-p dccp -j CT --timeout ge") == "");
    CHECK(said("-p tcp -j CT --notrack --timeout nobody") == "");
    CHECK(said("-p tcp -j CT --timeout ttt") == "no timeout policy \"ttt\"; did you mean \"tt\"?");
    CHECK(said("-p udp -j CT --timeout tt") ==
          "timeout policy \"tt\" is for tcp, and the rule is for udp");
    CHECK(said("-p udplite -j CT --timeout uu") ==
          "timeout policy \"uu\" is for udp, and the rule is for udplite");
    CHECK(said("-p tcp -j CT --timeout ge") ==
          "timeout policy \"ge\" is for generic, and the rule is for tcp");
    CHECK(said("-p udp -j CT --timeout uu", Family::Ipv6) ==
          "timeout policy \"uu\" is for IPv4, not for IPv6");
    const std::string needs = "--timeout needs -p with a protocol, not negated, in the same rule";
    CHECK(said("-j CT --timeout tt") == needs);
    CHECK(said("! -p tcp -j CT --timeout tt") == needs);
}

TEST_CASE("a policy that rules name is counted") {
    rules::Ruleset ruleset;
    const std::string text =
        "*raw\n-A PREROUTING -p tcp -j CT --timeout tt\n-A OUTPUT -p tcp -j CT --timeout tt\n"
        "-A OUTPUT -p udp -j CT --timeout \"a b\"\nCOMMIT\n";
    REQUIRE(rules::parse_save(text, "rules", Family::Ipv4, ruleset).empty());
    CHECK(rules::timeout_references(ruleset) == rules::TimeoutReferences{{"a b", 1}, {"tt", 2}});
    CHECK(rules::save(ruleset, Family::Ipv4, false)
              .find("-A OUTPUT -p udp -j CT --timeout \"a b\"") != std::string::npos);
}

TEST_CASE("a native rule goes to the family of its policy") {
    const auto families = [](const std::vector<std::string>& words) {
        return rules::families_of(words, {}, kKnown);
    };
    CHECK(families({"-p", "tcp", "-j", "CT", "--timeout", "t6"}).ipv6);
    CHECK_FALSE(families({"-p", "tcp", "-j", "CT", "--timeout", "t6"}).ipv4);
    CHECK(families({"-j", "SET", "--add-set", "a", "src", "--timeout", "t6"}).ipv4);
}
