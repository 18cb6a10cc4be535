// [rules] tolerate: what is not supported may stand in rules, and means nothing.
#include "core/rules/language/tolerated.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

struct Tolerant {
    rules::Ruleset ruleset;
    std::string errors;

    explicit Tolerant(std::string_view rules_of_forward, const rules::Tolerance& tolerance) {
        ruleset.tolerance = tolerance;
        const std::string text = forward(rules_of_forward);
        for (const ConfigError& error : rules::parse_save(text, "rules", Family::Ipv4, ruleset)) {
            errors += to_string(error) + "\n";
        }
    }
    [[nodiscard]] std::string saved(std::size_t number) const {
        const rules::Ruleset& all = ruleset;
        const rules::Chain* chain = all.table(Family::Ipv4, rules::TableId::Filter).find("FORWARD");
        return rules::rule_text("FORWARD", chain->rules[number]);
    }
    [[nodiscard]] std::string warnings() const {
        std::string text;
        for (const ConfigError& warning : rules::tolerated_rules(ruleset)) {
            text += to_string(warning) + "\n";
        }
        return text;
    }
};

const rules::Tolerance kNamed{false, {"geoip", "FULLCONENAT", "oddity"}};
const rules::Tolerance kAll{true, {}};
constexpr std::string_view kGeoip =
    "-A FORWARD -m geoip ! --src-cc A1,CN -p udp --dport 53 -j DROP";

}  // namespace

TEST_CASE("a tolerated match never matches, and is saved with its words") {
    const Tolerant loaded(kGeoip, kNamed);
    REQUIRE(loaded.errors.empty());
    CHECK(loaded.saved(0) == "FORWARD -p udp -m geoip ! --src-cc A1,CN -m udp --dport 53 -j DROP");
    CHECK(loaded.warnings() ==
          "rules:2:4: match \"geoip\" is not supported: it is an extension of other kernels; it is "
          "tolerated, and never matches\n");
    Firewall box(loaded.ruleset);
    CHECK(box.accepts(udp("10.0.0.2:5000", "192.0.2.1:53")));
}

TEST_CASE("a tolerated target does nothing, and takes the options behind it") {
    const Tolerant loaded(
        "-A FORWARD -p udp -j FULLCONENAT --to-ports 1024-2047 --random\n"
        "-A FORWARD -m oddity --colour \"dark blue\" --size 3 -m ttl --ttl-eq 64 -j DROP",
        kNamed);
    REQUIRE(loaded.errors.empty());
    CHECK(loaded.saved(0) == "FORWARD -p udp -j FULLCONENAT --to-ports 1024-2047 --random");
    CHECK(loaded.saved(1) ==
          "FORWARD -m oddity --colour \"dark blue\" --size 3 -m ttl --ttl-eq 64 -j DROP");
    Firewall box(loaded.ruleset);
    CHECK(box.accepts(udp("10.0.0.2:5000", "192.0.2.1:53")));
    CHECK(box.count("FORWARD", 1) == "1:28");
    CHECK(box.count("FORWARD", 2) == "0:0");
}

TEST_CASE("what is saved of tolerated rules is read back as the same") {
    const Tolerant loaded("-A FORWARD -m oddity --text \"-x y\" ! --flag --quoted \"a \\\"b\\\"\"",
                          kNamed);
    REQUIRE(loaded.errors.empty());
    const Tolerant again("-A " + loaded.saved(0), kNamed);
    REQUIRE(again.errors.empty());
    CHECK(again.saved(0) == loaded.saved(0));
}

TEST_CASE("without tolerance, the match or target is named with the reason") {
    CHECK(Tolerant(kGeoip, {}).errors ==
          "rules:2:12: match \"geoip\" is not supported: it is an extension of other kernels\n");
    CHECK(Tolerant("-A FORWARD -j ULOG", {}).errors ==
          "rules:2:12: target ULOG is not supported: Linux has it no more\n");
    CHECK(Tolerant("-A FORWARD -m conntrak", {}).errors ==
          "rules:2:12: match \"conntrak\" is not supported: there is no such extension; did you "
          "mean \"conntrack\"?\n");
}

TEST_CASE(
    "\"all\" is every match, and every target that somebody has; a chain that is missing is none") {
    CHECK(Tolerant("-A FORWARD -m whatever --x 5 -j ULOG --ulog-nlgroup 1", kAll).errors.empty());
    CHECK(Tolerant("-A FORWARD -j LOGDORP", kAll).errors.find("no chain or target") !=
          std::string::npos);
}

TEST_CASE("what is supported means what it says, tolerated or not") {
    const Tolerant loaded("-A FORWARD -m ttl --ttl-eq 64 -j DROP", {false, {"ttl"}});
    CHECK(loaded.warnings().empty());
    Firewall box(loaded.ruleset);
    CHECK(box.drops(udp("10.0.0.2:5000", "192.0.2.1:53")));
}
