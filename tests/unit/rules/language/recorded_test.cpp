// recorded_rules.txt and recorded_edges.txt: rules that iptables-legacy-restore and
// ip6tables-legacy-restore 1.8.9 were given on Linux 6.18, and what iptables-save printed of them
// ("= ..."), or that they were refused
// ("!").
#include <fstream>

#include "core/base/words.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

struct Recorded {
    Family family = Family::Ipv4;
    std::string table;
    std::string rule;    // behind -A
    std::string answer;  // "= -A ..." or "!"
};

std::vector<Recorded> recorded_rules(std::string_view name) {
    std::ifstream file(NSR_SOURCE_DIR "/tests/unit/rules/language/" + std::string(name));
    REQUIRE(file.good());
    std::vector<Recorded> rules;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') {
            continue;
        }
        const std::size_t space = line.find(' ', 2);
        Recorded next{line[0] == '4' ? Family::Ipv4 : Family::Ipv6, line.substr(2, space - 2),
                      line.substr(space + 1), ""};
        REQUIRE(static_cast<bool>(std::getline(file, next.answer)));
        rules.push_back(std::move(next));
    }
    return rules;
}

// "= " and the rule as it is saved, or "!" and what is wrong.
std::string answer_of(const Recorded& recorded) {
    const std::string text =
        "*" + recorded.table + "\n:T - [0:0]\n-A " + recorded.rule + "\nCOMMIT\n";
    rules::Ruleset ruleset;
    const ConfigErrors errors = rules::parse_save(text, "rules", recorded.family, ruleset);
    if (!errors.empty()) {
        return "! " + to_string(errors.front());
    }
    const std::string saved = rules::save(ruleset, recorded.family, false);
    for (const std::string_view line : split(saved, '\n')) {
        if (line.starts_with("-A ")) {
            return "= " + std::string(line);
        }
    }
    return "nothing was saved";
}

void check_all(std::string_view name) {
    for (const Recorded& recorded : recorded_rules(name)) {
        CAPTURE(recorded.table);
        CAPTURE(recorded.rule);
        const std::string answer = answer_of(recorded);
        if (recorded.answer == "!") {
            CHECK_MESSAGE(answer.starts_with("! "), answer);
        } else {
            CHECK(answer == recorded.answer);
        }
    }
}

}  // namespace

TEST_CASE("rules are taken and refused as iptables and the kernel do, and saved with their words") {
    check_all("recorded_rules.txt");
}

TEST_CASE("values at their edges are read as iptables reads them") {
    check_all("recorded_edges.txt");
}
