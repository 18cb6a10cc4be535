// Every file of tests/badconf is a wrong configuration; beside it, line by line, what must be said
// about it. `*` stands for any text.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "router/config/load.hpp"

namespace nsr::router {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(NSR_SOURCE_DIR) / "tests/badconf";

bool fits(std::string_view text, std::string_view pattern) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
        return text == pattern;
    }
    if (!text.starts_with(pattern.substr(0, star))) {
        return false;
    }
    for (std::size_t from = star; from <= text.size(); ++from) {
        if (fits(text.substr(from), pattern.substr(star + 1))) {
            return true;
        }
    }
    return false;
}

std::vector<std::string> expected_lines(const fs::path& config) {
    std::ifstream file(fs::path(config).replace_extension("expected"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    return lines;
}

// Without the folder, and without the name of the configuration file itself.
std::vector<std::string> errors_of(const fs::path& config) {
    std::vector<std::string> lines;
    const auto loaded = load_config(config.string());
    for (const ConfigError& error : loaded ? ConfigErrors{} : loaded.error()) {
        std::string text = to_string(error);
        const std::string folder = kFolder.string() + "/";
        REQUIRE(text.starts_with(folder));
        text.erase(0, folder.size());
        const std::string own = config.filename().string() + ":";
        if (text.starts_with(own)) {
            text.erase(0, own.size());
            text.erase(0, text.find_first_not_of(' '));
        }
        lines.push_back(text);
    }
    return lines;
}

std::vector<fs::path> corpus() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(kFolder)) {
        if (entry.path().extension() == ".toml") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

TEST_CASE("wrong configurations are refused, each error at its place and in plain words") {
    const std::vector<fs::path> files = corpus();
    CHECK(files.size() >= 60);
    for (const fs::path& file : files) {
        CAPTURE(file.filename().string());
        const std::vector<std::string> expected = expected_lines(file);
        const std::vector<std::string> actual = errors_of(file);
        CHECK_FALSE(expected.empty());
        CHECK(actual.size() == expected.size());
        for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
            const std::string got = i < actual.size() ? actual[i] : "(nothing)";
            const std::string want = i < expected.size() ? expected[i] : "(nothing)";
            CHECK_MESSAGE(fits(got, want), "\n  expected: ", want, "\n  actual:   ", got);
        }
    }
}

}  // namespace nsr::router
