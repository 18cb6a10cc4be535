// docs/configuration.md knows every match and target there is, and every option of each.
#include <algorithm>
#include <fstream>

#include "core/base/words.hpp"
#include "core/rules/language/foreign.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

std::vector<std::string> table_rows(const std::string& name = "configuration.md") {
    std::ifstream file(NSR_SOURCE_DIR "/docs/" + name);
    REQUIRE(file.good());
    std::vector<std::string> rows;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("| `")) {
            rows.push_back(line);
        }
    }
    return rows;
}

// The row whose first cell names the module.
std::string row_of(std::string_view module, const std::vector<std::string>& rows) {
    for (const std::string& row : rows) {
        if (row.substr(0, row.find('|', 1)).find("`" + std::string(module) + "`") !=
            std::string::npos) {
            return row;
        }
    }
    return {};
}

bool has_word(const std::string& row, std::string_view word) {
    const auto part_of_word = [&](std::size_t at) {
        return at < row.size() &&
               (std::isalnum(static_cast<unsigned char>(row[at])) != 0 || row[at] == '-');
    };
    for (std::size_t at = row.find(word); at != std::string::npos; at = row.find(word, at + 1)) {
        if (!part_of_word(at - 1) && !part_of_word(at + word.size())) {
            return true;
        }
    }
    return false;
}

// By its name or by another spelling of it.
bool is_told(const std::string& row, const rules::OptionSpec& option,
             std::span<const rules::OptionSpec> all) {
    for (const rules::OptionSpec& spelling : all) {
        const bool same = spelling.name == option.name || spelling.alias == option.name;
        if (same && has_word(row, spelling.name)) {
            return true;
        }
    }
    return false;
}

template <class Module>
void check(const Module& module, const std::vector<std::string>& rows) {
    CAPTURE(module.name);
    const std::string row = row_of(module.name, rows);
    REQUIRE(!row.empty());
    for (const rules::OptionSpec& option : module.options) {
        CAPTURE(option.name);
        CHECK((!option.alias.empty() || is_told(row, option, module.options)));
    }
}

// A row of docs/rules-extensions.md: what it is about, in which families, and what it says.
struct Extension {
    std::string name;
    std::string families;
    std::string state;
};

std::vector<Extension> extensions() {
    std::vector<Extension> found;
    for (const std::string& row : table_rows("rules-extensions.md")) {
        const auto cells = split(row, '|');
        REQUIRE(cells.size() == 6);
        const auto trimmed = [&](std::size_t cell) {
            const std::string_view text = cells[cell];
            return std::string(text.substr(1, text.size() - 2));
        };
        const std::string name = trimmed(1);
        found.push_back({name.substr(1, name.size() - 2), trimmed(2), trimmed(3)});
    }
    return found;
}

std::string_view text_of(rules::FamilySupport families) {
    return families.ipv4 && families.ipv6 ? "both" : families.ipv4 ? "IPv4" : "IPv6";
}

// Its row says that it is there, and in which families.
template <class Module>
void check_extension(const Module& module, const std::vector<Extension>& known) {
    CAPTURE(module.name);
    const auto row = std::find_if(known.begin(), known.end(), [&](const Extension& extension) {
        return extension.name == module.name;
    });
    REQUIRE(row != known.end());
    CHECK(row->families == text_of(module.families));
    CHECK(!row->state.starts_with("not supported"));
}

}  // namespace

TEST_CASE("the list of extensions has each match and target, and what it says is missing is") {
    const std::vector<Extension> known = extensions();
    for (const rules::MatchModule* module : rules::match_modules()) {
        check_extension(*module, known);
    }
    for (const rules::TargetModule* module : rules::target_modules()) {
        check_extension(*module, known);
    }
    for (const Extension& extension : known) {
        CAPTURE(extension.name);
        const bool there = rules::find_match(extension.name) != nullptr ||
                           rules::find_target(extension.name) != nullptr;
        CHECK(there != extension.state.starts_with("not supported"));
        CHECK((there || rules::is_foreign(extension.name)));
        if (!there) {
            const std::string said = rules::not_supported("", extension.name, {});
            CHECK(" is " + extension.state == said);
        }
    }
}

TEST_CASE("the documentation lists every match, every target and every option of each") {
    const std::vector<std::string> rows = table_rows();
    for (const rules::MatchModule* module : rules::match_modules()) {
        check(*module, rows);
    }
    for (const rules::TargetModule* module : rules::target_modules()) {
        check(*module, rows);
    }
}
