// What holds for every folder beside this file: nothing is missing, its files load as they are, are
// saved as the kernel's tools save them (record.py wrote down how), and are warned of as
// warnings.txt says.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "core/base/words.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/save.hpp"
#include "core/sets/sets.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/tools/ipset/command.hpp"
#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

namespace fs = std::filesystem;

struct RuleFiles {
    Family family;
    const char* rules;
    const char* saved;
};
constexpr RuleFiles kRuleFiles[] = {{Family::Ipv4, "rules.v4", "saved.v4"},
                                    {Family::Ipv6, "rules.v6", "saved.v6"}};
constexpr std::size_t kFewestStories = 3;

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Lines that are no comments.
std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) {
        if (!line.empty() && line[0] != '#') {
            lines.emplace_back(line);
        }
    }
    return lines;
}

void check_equal(const std::vector<std::string>& actual, const std::vector<std::string>& expected) {
    CHECK(actual.size() == expected.size());
    std::size_t shown = 0;
    for (std::size_t i = 0; i < std::max(actual.size(), expected.size()) && shown < 20; ++i) {
        const std::string got = i < actual.size() ? actual[i] : "(nothing)";
        const std::string want = i < expected.size() ? expected[i] : "(nothing)";
        shown += got == want ? 0 : 1;
        CHECK_MESSAGE(got == want, "\n  expected: ", want, "\n  actual:   ", got);
    }
}

std::size_t count_of(std::string_view text, std::string_view word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        ++count;
    }
    return count;
}

// Rules of extensions that only router.toml lets in have no counterpart in a kernel.
bool is_tolerated(const std::string& line, const rules::Tolerance& tolerance) {
    return std::any_of(tolerance.names.begin(), tolerance.names.end(),
                       [&](const std::string& name) {
                           return line.find(" -j " + name) != std::string::npos ||
                                  line.find(" -m " + name) != std::string::npos;
                       });
}

std::vector<std::string> saved_sets(Router& router) {
    router::IpsetPass pass(*router::parse_ipset_args({"-s", "save"}));
    const router::IpsetContext context{router.sets(), [&] { return router.set_references(); },
                                       Instant{std::chrono::seconds(1000)}};
    std::string text;
    while (pass.advance(context, 1000, text)) {
    }
    static const std::regex left("(add .* timeout) [1-9][0-9]*");
    return lines_of(std::regex_replace(text, left, "$1 T"));
}

}  // namespace

TEST_CASE("rulesets: no folder lacks a file or a story") {
    const std::vector<fs::path> folders = ruleset_folders();
    CHECK(folders.size() >= 12);
    for (const fs::path& folder : folders) {
        CAPTURE(folder.filename().string());
        for (const std::string name : {"router.toml", "rules.v4", "saved.v4", "warnings.txt"}) {
            CHECK_MESSAGE(fs::exists(folder / name), name, " is missing");
        }
        CHECK(fs::exists(folder / "rules.v6") == fs::exists(folder / "saved.v6"));
        CHECK(fs::exists(folder / "sets") == fs::exists(folder / "saved.sets"));
        const std::string stories = text_of(folder / "scenario_test.cpp");
        CHECK_MESSAGE(count_of(stories, "TEST_CASE(") >= kFewestStories, "of scenario_test.cpp");
        const std::string runs = "running(\"" + folder.filename().string() + "\")";
        CHECK_MESSAGE(count_of(stories, runs) > 0, "scenario_test.cpp runs another ruleset");
    }
}

TEST_CASE("rulesets: files load as they are, and are saved as the kernel's tools save them") {
    for (const fs::path& folder : ruleset_folders()) {
        CAPTURE(folder.filename().string());
        const router::Config config = configured(folder.filename().string());
        for (const RuleFiles& files : kRuleFiles) {
            if (!fs::exists(folder / files.rules)) {
                continue;
            }
            CAPTURE(std::string(files.rules));
            std::vector<std::string> lines =
                lines_of(rules::save(config.ruleset, files.family, false));
            std::erase_if(lines, [&](const std::string& line) {
                return is_tolerated(line, config.ruleset.tolerance);
            });
            check_equal(lines, lines_of(text_of(folder / files.saved)));
        }
    }
}

TEST_CASE("rulesets: what is saved loads again, with its counters, and is saved the same") {
    for (const fs::path& folder : ruleset_folders()) {
        CAPTURE(folder.filename().string());
        const router::Config config = configured(folder.filename().string());
        for (const RuleFiles& files : kRuleFiles) {
            const std::string once = rules::save(config.ruleset, files.family, true);
            rules::Ruleset again;
            again.tolerance = config.ruleset.tolerance;
            const ConfigErrors errors = rules::parse_save(once, files.saved, files.family, again);
            CHECK_MESSAGE(errors.empty(), router::in_lines(errors));
            check_equal(lines_of(rules::save(again, files.family, true)), lines_of(once));
        }
    }
}

TEST_CASE("rulesets: sets are saved as ipset saves them") {
    for (const fs::path& folder : ruleset_folders()) {
        if (!fs::exists(folder / "sets")) {
            continue;
        }
        CAPTURE(folder.filename().string());
        World world = running(folder.filename().string());
        check_equal(saved_sets(world.router()), lines_of(text_of(folder / "saved.sets")));
    }
}

TEST_CASE("rulesets: what check warns of is what is written down, and no more") {
    for (const fs::path& folder : ruleset_folders()) {
        CAPTURE(folder.filename().string());
        std::string warnings =
            router::warnings_in_lines(configured(folder.filename().string()).warnings);
        const std::string prefix = folder.string() + "/";
        for (std::size_t at = warnings.find(prefix); at != std::string::npos;
             at = warnings.find(prefix, at)) {
            warnings.erase(at, prefix.size());
        }
        check_equal(lines_of(warnings), lines_of(text_of(folder / "warnings.txt")));
    }
}
