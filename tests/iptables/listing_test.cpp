// How -L and -v show rules, made of how iptables-save writes them: as the kernel's own tool showed
// the same rules (listing.txt). Rules of matches and targets that the language does not know (yet)
// are compared all the same, since only their saved text is needed.
#include <doctest/doctest.h>

#include "core/rules/words/text.hpp"
#include "router/tools/iptables/layout.hpp"
#include "router/tools/iptables/saved_rule.hpp"
#include "tests/iptables/recorded.hpp"

namespace nsr::test {
namespace {

struct Recorded {
    Family family = Family::Ipv4;
    std::string saved, numeric, named, echo;
    std::size_t line = 0;
};

std::vector<Recorded> recorded_listing() {
    std::vector<Recorded> rules;
    std::size_t number = 0;
    for (const std::string& line : lines_of("listing.txt")) {
        ++number;
        if (line.starts_with("ipv")) {
            rules.push_back({line[3] == '6' ? Family::Ipv6 : Family::Ipv4, {}, {}, {}, {}, number});
        } else if (line.starts_with("S -A ")) {
            const std::size_t chain = line.find(' ', 5);
            rules.back().saved = chain == std::string::npos ? "" : line.substr(chain + 1);
        } else if (line.starts_with("n ")) {
            rules.back().numeric = line.substr(2);
        } else if (line.starts_with("l ")) {
            rules.back().named = line.substr(2);
        } else if (line.starts_with("e ")) {
            rules.back().echo = line.substr(2);
        }
    }
    return rules;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
}

// The counters before a row.
constexpr const char* kZero = "    0     0 ";

TEST_CASE("Rules are listed as the kernel's own tool lists them") {
    std::size_t compared = 0;
    for (const Recorded& recorded : recorded_listing()) {
        if (recorded.echo.empty()) {
            continue;  // refused by the kernel that was asked
        }
        auto rule = router::parse_saved_rule(recorded.saved);
        REQUIRE(rule);
        rule->jumps = rule->target.name == "userchain";
        INFO("tests/iptables/listing.txt:" << recorded.line << ": " << recorded.saved);
        router::TableStyle style{.family = recorded.family, .numeric = true, .counters = true};
        CHECK(trimmed(kZero + router::saved_row(*rule, style)) == trimmed(recorded.numeric));
        style.numeric = false;
        CHECK(trimmed(kZero + router::saved_row(*rule, style)) == trimmed(recorded.named));
        CHECK(trimmed(router::saved_echo(*rule, recorded.family)) == trimmed(recorded.echo));
        ++compared;
    }
    CHECK(compared > 350);
}

}  // namespace
}  // namespace nsr::test
