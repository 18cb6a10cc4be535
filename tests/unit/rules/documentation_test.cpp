// docs/configuration.md knows every match and target there is, and every option of each.
#include <fstream>

#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

std::vector<std::string> table_rows() {
    std::ifstream file(NSR_SOURCE_DIR "/docs/configuration.md");
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

}  // namespace

TEST_CASE("the documentation lists every match, every target and every option of each") {
    const std::vector<std::string> rows = table_rows();
    for (const rules::MatchModule* module : rules::match_modules()) {
        check(*module, rows);
    }
    for (const rules::TargetModule* module : rules::target_modules()) {
        check(*module, rows);
    }
}
