// The commands of iptables(8), in sequences that the kernel's own tool was asked before: standard
// output, standard error and exit code have to be the same.
#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "core/base/words.hpp"
#include "router/tools/iptables/options.hpp"
#include "tests/iptables/recorded.hpp"

namespace nsr::test {
namespace {

constexpr const char* kFiles[] = {"commands.seq", "errors.seq", "ipv6.seq", "places.seq"};

std::vector<std::string> shell_words(const std::string& line) {
    std::vector<std::string> words;
    const auto split = split_words(line, Quoting::Shell);
    REQUIRE(split);
    for (const Word& word : *split) {
        words.push_back(word.text);
    }
    return words;
}

// Blanks at the end of a line are not in the files.
std::string trimmed(const std::string& text) {
    std::istringstream in(text);
    std::string lines;
    for (std::string line; std::getline(in, line);) {
        line.erase(line.find_last_not_of(' ') + 1);
        lines += line + "\n";
    }
    return lines;
}

void replay(const RecordedSequence& sequence, const char* file) {
    rules::Ruleset ruleset;
    for (const RecordedCommand& command : sequence.commands) {
        CAPTURE(sequence.name);
        INFO("tests/iptables/" << file << ":" << command.line << ":" << command.words);
        const auto answer = run_iptables(ruleset, sequence.family, shell_words(command.words));
        CHECK(trimmed(answer.text) == trimmed(command.answer.text));
        CHECK(answer.code == command.answer.code);
        if (!command.own_words) {
            CHECK(trimmed(answer.errors) == trimmed(command.answer.errors));
        }
    }
}

TEST_CASE("Every recorded command says what the kernel's own tool says") {
    for (const char* file : kFiles) {
        for (const RecordedSequence& sequence : recorded_sequences(file)) {
            replay(sequence, file);
        }
    }
}

// "-nvL" is n, v and L; "--list=INPUT" is "list".
void note_options(const std::vector<std::string>& words, std::set<std::string>& seen) {
    for (const std::string& word : words) {
        if (word.starts_with("--")) {
            seen.insert(word.substr(2, word.find('=') - 2));
        } else if (word.starts_with('-')) {
            for (const char letter : word.substr(1)) {
                seen.insert(std::string(1, letter));
            }
        }
    }
}

TEST_CASE("Every letter and every name of the tool's table stands in a sequence") {
    std::set<std::string> seen;
    for (const char* file : kFiles) {
        for (const RecordedSequence& sequence : recorded_sequences(file)) {
            for (const RecordedCommand& command : sequence.commands) {
                note_options(shell_words(command.words), seen);
            }
        }
    }
    for (const router::IptablesOption& option : router::iptables_options()) {
        if (option.letter == 'h') {
            continue;  // the help is the router's own
        }
        CAPTURE(option.name);
        CHECK(seen.contains(std::string(option.name)));
        CHECK((option.letter == '0' || seen.contains(std::string(1, option.letter))));
    }
}

TEST_CASE("-h says what there is, and every option of the table is in it") {
    rules::Ruleset ruleset;
    const auto answer = run_iptables(ruleset, Family::Ipv4, {"-L", "-h"});
    CHECK(answer.code == 0);
    for (const char* name :
         {"--append",       "--check",        "--delete",       "--insert",       "--replace",
          "--list",         "--list-rules",   "--flush",        "--zero",         "--new-chain",
          "--delete-chain", "--rename-chain", "--policy",       "--table",        "--numeric",
          "--verbose",      "--exact",        "--line-numbers", "--set-counters", "--wait",
          "--ipv4",         "--ipv6",         "--version"}) {
        CAPTURE(name);
        CHECK(answer.text.find(name) != std::string::npos);
    }
}

}  // namespace
}  // namespace nsr::test
