// The command line: exit codes, examples, and documentation that is true to it.
#include "router/commands/cli.hpp"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace nsr::router {
namespace {

int run(std::initializer_list<const char*> words) {
    std::vector<const char*> argv = {"nsrouter"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run_cli(static_cast<int>(argv.size()), argv.data());
}

std::string file(const std::string& path) {
    std::ifstream in(std::string(NSR_SOURCE_DIR) + "/" + path);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The manual page without its markup.
std::string manual() {
    std::string text = file("docs/nsrouter.8");
    std::erase(text, '\\');
    return text;
}

bool has_word(const std::string& text, const std::string& word) {
    const auto belongs = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-';
    };
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !belongs(text[at - 1])) && (end == text.size() || !belongs(text[end]))) {
            return true;
        }
    }
    return false;
}

void each_command(CLI::App& app, const std::function<void(CLI::App&)>& action) {
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        action(*command);
        each_command(*command, action);
    }
}

// The line of the completion that has the words of this command.
std::string completed(const std::string& completion, const std::string& command) {
    const std::size_t at = completion.find("        " + command + ") words=");
    return at == std::string::npos ? "" : completion.substr(at, completion.find(";;", at) - at);
}

}  // namespace

TEST_CASE("cli: wrong usage is 2, what cannot be done is 1") {
    CHECK(run({}) == kUsage);
    CHECK(run({"frobnicate"}) == kUsage);
    CHECK(run({"rules"}) == kUsage);
    CHECK(run({"rules", "shuffle"}) == kUsage);
    CHECK(run({"status", "--wait", "soon"}) == kUsage);
    CHECK(run({"status", "--wait", "-1"}) == kUsage);
    CHECK(run({"conntrack", "-L", "--colour"}) == kUsage);
    CHECK(run({"ip", "tunnel"}) == kUsage);
    CHECK(run({"--control", "/nonexistent/x.sock", "status"}) == kFailure);
    CHECK(run({"status", "--control=/nonexistent/x.sock"}) == kFailure);
    CHECK(run({"check", "/nonexistent.toml"}) == kFailure);
}

TEST_CASE("cli: --help and --version are no failure, of any command") {
    CHECK(run({"--version"}) == kSuccess);
    CHECK(run({"--help"}) == kSuccess);
    CLI::App app;
    int exit_code = 0;
    describe_cli(app, exit_code);
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        CHECK(run({command->get_name().c_str(), "--help"}) == kSuccess);
    }
}

TEST_CASE("cli: every command has two examples or more, and all of them are of that command") {
    CLI::App app("", "nsrouter");
    int exit_code = 0;
    describe_cli(app, exit_code);
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        CAPTURE(command->get_name());
        std::istringstream help(command->help());
        std::size_t examples = 0;
        for (std::string line; std::getline(help, line);) {
            examples += line.starts_with("  nsrouter ") ? 1 : 0;
            if (line.starts_with("  nsrouter ")) {
                CHECK(has_word(line, command->get_name()));
            }
        }
        CHECK(examples >= 2);
    }
}

TEST_CASE("cli: the manual page and the completion know every command and option") {
    const std::string page = manual();
    const std::string completion = file("docs/completion/nsrouter.bash");
    CLI::App app("", "nsrouter");
    int exit_code = 0;
    describe_cli(app, exit_code);
    const auto check_options = [&](const CLI::App& command, const std::string& words) {
        for (const CLI::Option* option : command.get_options()) {
            const std::string name =
                option->get_lnames().empty() && !option->get_snames().empty()
                    ? "-" + option->get_snames().front()
                    : "--" + (option->get_lnames().empty() ? std::string("help")
                                                           : option->get_lnames().front());
            const std::string first =
                option->get_snames().empty() ? name : "-" + option->get_snames().front();
            CAPTURE(command.get_name());
            CAPTURE(name);
            CHECK((has_word(page, name) || has_word(page, first)));
            CHECK((has_word(words, name) || has_word(words, first)));
        }
    };
    check_options(app, completion);
    each_command(app, [&](const CLI::App& command) {
        CAPTURE(command.get_name());
        CHECK(has_word(page, command.get_name()));
        CHECK(has_word(completion, command.get_name()));
        const CLI::App* top = &command;
        while (top->get_parent() != &app) {
            top = top->get_parent();
        }
        const std::string words = completed(completion, top->get_name());
        check_options(command, words.empty() ? completion : words);
    });
}

}  // namespace nsr::router
