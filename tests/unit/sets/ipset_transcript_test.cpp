// The language of ipset(8), held to what the tool itself said: ipset_transcript.txt was recorded
// from ipset 7.17 on Linux 6.18, command after command. Lines of one answer are sorted there (a
// kernel has its own order), and what is random in it is a "#".
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "core/base/words.hpp"
#include "router/tools/ipset/command.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

struct Exchange {
    std::string command;
    std::string answer;
};

std::vector<Exchange> recorded() {
    std::ifstream file(NSR_SOURCE_DIR "/tests/unit/sets/ipset_transcript.txt");
    REQUIRE(file.good());
    std::vector<Exchange> exchanges;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("$ ")) {
            exchanges.push_back({line.substr(2), {}});
        } else {
            exchanges.back().answer += line + "\n";
        }
    }
    return exchanges;
}

std::string sorted(const std::string& text) {
    static const std::regex kInitval("initval 0x[0-9a-f]{8}");
    static const std::regex kXmlInitval("<initval>0x[0-9a-f]{8}");
    static const std::regex kSize("Size in memory: [0-9]+");
    static const std::regex kXmlSize("<memsize>[0-9]+");
    std::string plain = std::regex_replace(text, kInitval, "initval #");
    plain = std::regex_replace(plain, kXmlInitval, "<initval>#");
    plain = std::regex_replace(plain, kSize, "Size in memory: #");
    plain = std::regex_replace(plain, kXmlSize, "<memsize>#");
    std::vector<std::string> lines;
    std::istringstream in(plain);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    std::string joined;
    for (const std::string& line : lines) {
        joined += line + "\n";
    }
    return joined;
}

// As the program answers it, with the exit code as the recording writes it.
std::string answer_to(const std::string& command, sets::Sets& sets, Instant now) {
    const auto split = split_words(command, Quoting::Shell);
    REQUIRE(split);
    std::vector<std::string> words;
    for (const Word& word : *split) {
        words.push_back(word.text);
    }
    IpsetAnswer answer;
    if (const auto args = parse_ipset_args(words); !args) {
        answer = {{}, to_string(args.error()), args.error().exit_code};
    } else if (args->command == IpsetCommand::Version) {
        answer.text = kIpsetVersion;
    } else {
        answer = run_ipset(*args, {sets, [] { return sets::References(); }, now});
    }
    std::string text = sorted(answer.text + answer.errors);
    if (answer.exit_code != 0) {
        text += "[exit " + std::to_string(answer.exit_code) + "]\n";
    }
    return text;
}

}  // namespace

TEST_CASE("ipset says what the tool says, command after command") {
    sets::Sets sets(1, 2);
    Instant now{std::chrono::seconds(100)};
    const auto exchanges = recorded();
    CHECK(exchanges.size() > 300);
    for (const Exchange& exchange : exchanges) {
        now += std::chrono::milliseconds(10);
        CAPTURE(exchange.command);
        CHECK(answer_to(exchange.command, sets, now) == exchange.answer);
    }
}
