// Every option of every match there is does what its row says; a new one without a row fails here.
#include <algorithm>

#include "core/base/words.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rows.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;

namespace {

std::vector<Row> all_rows() {
    std::vector<Row> rows = header_rows();
    for (const auto& more : {connection_rows(), memory_rows(), extension_rows(), set_rows()}) {
        rows.insert(rows.end(), more.begin(), more.end());
    }
    return rows;
}

// Before routing, where the router sends, or where packets are forwarded.
struct Place {
    TableId table = TableId::Filter;
    Hook hook = Hook::Forward;
};
Place place_of(const Row& row) {
    if (row.module == "rpfilter" || row.module == "socket") {
        return {TableId::Raw, Hook::Prerouting};
    }
    const bool of_sender = row.module == "owner" || row.module == "cgroup";
    return of_sender ? Place{TableId::Filter, Hook::Output} : Place{};
}

std::string text_of(const Row& row) {
    const Place place = place_of(row);
    std::string text = "*" + std::string(name_of(place.table)) + "\n";
    for (const std::string_view rule : split(row.rules, '\n')) {
        text += "-A " + std::string(name_of(place.hook)) + " " + std::string(rule) + "\n";
    }
    return text + "COMMIT\n";
}

// D or a point for each packet. All of them are tracked, and confirmed whatever the rules say.
std::string fates(const Row& row) {
    Firewall box(text_of(row), row.family);
    box.conntrack.set_active(row.family, true, box.now);
    const Place place = place_of(row);
    std::string story;
    for (const Step& step : row.steps) {
        box.wait(step.time);
        if (!step.packet) {
            continue;
        }
        Packet shown = box.packet(*step.packet, place.hook);
        shown.meta.locally_generated = place.hook == Hook::Output;
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
        const rules::TableVerdict decided = box.run(shown, place.table, place.hook);
        story += decided.verdict == rules::TargetVerdict::Drop ? 'D' : '.';
        CHECK(box.conntrack.confirm(shown, box.now).accepted());
    }
    return story;
}

void check(const Row& row) {
    if (row.expected.starts_with('!')) {
        const std::string said = errors_of(text_of(row), row.family);
        CAPTURE(said);
        CHECK(said.find(row.expected.substr(1)) != std::string::npos);
    } else if (row.expected == "=") {
        const std::string saved = rules::save(parsed(text_of(row), row.family), row.family, false);
        CAPTURE(saved);
        CHECK(saved.find("--" + std::string(row.option)) != std::string::npos);
    } else {
        CHECK(fates(row) == row.expected);
    }
}

}  // namespace

TEST_CASE("each option of each match has a row that shows what it does") {
    const std::vector<Row> rows = all_rows();
    for (const rules::MatchModule* module : rules::match_modules()) {
        for (const rules::OptionSpec& option : module->options) {
            const auto shows = [&](const Row& row) {
                return row.module == module->name && row.option == option.name &&
                       row.rules.find("--" + std::string(option.name)) != std::string_view::npos;
            };
            CAPTURE(module->name);
            CAPTURE(option.name);
            CHECK((!option.alias.empty() || std::any_of(rows.begin(), rows.end(), shows)));
        }
    }
}

TEST_CASE("each row of a match holds") {
    for (const Row& row : all_rows()) {
        CAPTURE(row.module);
        CAPTURE(row.rules);
        const rules::MatchModule* module = rules::find_match(row.module);
        REQUIRE(module != nullptr);
        check(row);
    }
}
