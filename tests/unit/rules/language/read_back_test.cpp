// Whatever stands behind an option: what is accepted is saved as text that reads back as the same.
#include <algorithm>
#include <iterator>

#include "core/base/words.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/language/native.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rows.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;

namespace {

using Words = std::vector<std::string>;

// What a value can look like to whoever splits lines at blanks, quotes and marks of negation.
constexpr std::string_view kOddValues[] = {
    "",
    " ",
    "a b",
    "\t",
    "a\"b",
    "\"",
    "a'b",
    "\\",
    "a\\",
    "!",
    "! x",
    "-j",
    "--x",
    "#x",
    "|",
    "\x01",
    "\xff\xfe",
    "*",
    "+",
    ",",
    "0",
    "1",
    "255",
    "65535",
    "65536",
    "4294967295",
    "18446744073709551615",
    "0x10/0xf0",
    "0/0",
    ":",
    "1:",
    ":1",
    "0:4294967295",
    "1,2:3",
    "both",
    "a,b",
    "00:11:\"2:33:44:55",
    "0:1:2:A:B:C",
    "1970-01-01",
    "2038-12-31T23:59:59",
    "0:0",
    "1,2,3,4,5,6,7",
    "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
    "0.5",
    "1/day",
    "5kb/s",
    "local",
    "any",
    "none",
    "ALL",
    "::/0",
    "0.0.0.0/0",
    "10.0.0.1-10.0.0.2",
};

struct Place {
    Family family;
    TableId table;
    Hook hook;
};

// True: the words are a rule, and so is what is saved of them.
bool reads_back(const Words& words, const Place& place) {
    rules::Ruleset ruleset;
    ruleset.load(place.family, place.table);
    const std::string chain(name_of(place.hook));
    auto parsed = rules::parse_rules(words, place.family, place.table, chain, ruleset, {"odd", 1});
    if (!parsed) {
        return false;
    }
    for (rules::Rule& rule : *parsed) {
        rules::add_rule(ruleset, *ruleset.table(place.family, place.table).find(chain),
                        std::move(rule));
    }
    if (!rules::check(ruleset, place.family).empty()) {
        return false;
    }
    const std::string saved = rules::save(ruleset, place.family, true);
    CAPTURE(saved);
    rules::Ruleset again;
    const ConfigErrors errors = rules::parse_save(saved, "saved", place.family, again);
    CHECK(errors.empty());
    CHECK(rules::save(again, place.family, true) == saved);
    return true;
}

// Every odd value in the place of the one behind `option`, negated and not. -> how many are rules
int try_odd_values(std::string_view rule, std::string_view option, const Place& place) {
    Words words;
    const auto split = split_words(rule, Quoting::Restore);
    REQUIRE(split.has_value());
    for (const Word& word : *split) {
        words.push_back(word.text);
    }
    const auto at = std::find(words.begin(), words.end(), option);
    if (at == words.end() || std::next(at) == words.end()) {
        return 0;
    }
    const bool negated = at != words.begin() && *std::prev(at) == "!";
    const auto index = static_cast<std::size_t>(at - words.begin());
    int accepted = 0;
    for (const std::string_view odd : kOddValues) {
        words[index + 1] = odd;
        accepted += reads_back(words, place) ? 1 : 0;
        if (!negated) {
            Words other = words;
            other.insert(other.begin() + static_cast<std::ptrdiff_t>(index), "!");
            accepted += reads_back(other, place) ? 1 : 0;
        }
    }
    return accepted;
}

int try_each_line(std::string_view rules, std::string_view option, const Place& place) {
    int accepted = 0;
    for (const std::string_view rule : split(rules, '\n')) {
        accepted += try_odd_values(rule, "--" + std::string(option), place);
    }
    return accepted;
}

}  // namespace

TEST_CASE("read back: options of matches with odd values") {
    int accepted = 0;
    for (const auto& rows : {header_rows(), connection_rows(), memory_rows()}) {
        for (const Row& row : rows) {
            const bool before_routing = row.module == "rpfilter";
            const Place place{row.family, before_routing ? TableId::Raw : TableId::Filter,
                              before_routing ? Hook::Prerouting : Hook::Forward};
            CAPTURE(row.option);
            accepted += try_each_line(row.rules, row.option, place);
        }
    }
    CHECK(accepted > 1000);
}

TEST_CASE("read back: options of targets with odd values") {
    int accepted = 0;
    for (const TargetRules& row : target_rules()) {
        CAPTURE(row.option);
        // iptables-save itself shows a time that has gone round. libxt_RATEEST.c: __RATEEST_print
        if (row.option != "rateest-interval" && row.option != "rateest-ewmalog") {
            accepted += try_each_line(row.rules, row.option, {row.family, row.table, row.hook});
        }
    }
    CHECK(accepted > 200);
}

TEST_CASE("read back: what every rule may have with odd values") {
    int accepted = 0;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const Place place{family, TableId::Filter, Hook::Forward};
        for (const std::string_view option : {"-s", "-d", "-i", "-o", "-p", "--goto"}) {
            accepted += try_odd_values(std::string(option) + " x", option, place);
        }
    }
    CHECK(accepted > 50);
}

// Each is what iptables prints and does not read: the name in two words, the list with nothing in
// it.
TEST_CASE("read back: names with blanks, and days of which none is left") {
    const auto saved = [](const Words& words) {
        rules::Ruleset ruleset;
        ruleset.load(Family::Ipv4, TableId::Filter);
        const auto parsed = rules::parse_rules(words, Family::Ipv4, TableId::Filter, "FORWARD",
                                               ruleset, {"odd", 1});
        REQUIRE(parsed.ok());
        return rules::rule_text("", parsed->front());
    };
    CHECK(saved({"-i", "a b"}) == "-i \"a b\"");
    CHECK(saved({"-m", "recent", "--set", "--name", "a\"b"}) ==
          "-m recent --set --name \"a\\\"b\" --mask 255.255.255.255 --rsource");
    CHECK(saved({"-m", "physdev", "--physdev-in", "a b"}) == "-m physdev --physdev-in \"a b\"");
    CHECK(saved({"-m", "time", "!", "--weekdays", "1,2,3,4,5,6,7"})
              .starts_with("-m time ! --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun"));
    CHECK(saved({"-m", "time", "!", "--weekdays", "Sun"})
              .starts_with("-m time --weekdays Mon,Tue,Wed,Thu,Fri,Sat"));
}

TEST_CASE("read back: an Ethernet address has six bytes") {
    CHECK(errors_of(forward("-A FORWARD -m mac --mac-source 00:11:22:33:44"))
              .find("--mac-source needs an address such as") != std::string::npos);
    const rules::Ruleset ruleset =
        parsed(forward("-A FORWARD -m mac ! --mac-source 0:1:2:aB:4:5 -j DROP"));
    CHECK(rules::save(ruleset, Family::Ipv4, false).find("! --mac-source 00:01:02:ab:04:05 -j") !=
          std::string::npos);
}
