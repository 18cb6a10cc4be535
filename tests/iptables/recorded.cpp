#include "tests/iptables/recorded.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "core/base/words.hpp"

namespace nsr::test {

std::vector<std::string> lines_of(const std::string& file) {
    std::ifstream in(std::string(NSR_SOURCE_DIR "/tests/iptables/") + file);
    REQUIRE_MESSAGE(in, "tests/iptables/" << file << " cannot be read");
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::vector<RecordedSequence> recorded_sequences(const std::string& file) {
    std::vector<RecordedSequence> sequences;
    int number = 0;
    for (const std::string& line : lines_of(file)) {
        ++number;
        const std::string text = line.size() > 2 ? line.substr(2) : "";
        if (line.starts_with("##")) {
            sequences.push_back({.name = line.substr(3)});
            sequences.back().family = line.ends_with("(ipv6)") ? Family::Ipv6 : Family::Ipv4;
        } else if (line.starts_with("$")) {
            const bool own = line.starts_with("$~");
            sequences.back().commands.push_back({.words = line.substr(own ? 2 : 1),
                                                 .given = {},
                                                 .own_words = own,
                                                 .answer = {},
                                                 .line = number});
        } else if (line.starts_with("<")) {
            sequences.back().commands.back().given += text + "\n";
        } else if (line.starts_with(">")) {
            sequences.back().commands.back().answer.text += text + "\n";
        } else if (line.starts_with("!")) {
            sequences.back().commands.back().answer.errors += text + "\n";
        } else if (line.starts_with("=")) {
            sequences.back().commands.back().answer.code = std::stoi(text);
        }
    }
    return sequences;
}

router::IptablesAnswer run_iptables(rules::Ruleset& ruleset, Family family,
                                    const std::vector<std::string>& words) {
    const auto args = router::parse_iptables_args(family, words);
    if (!args) {
        return args.error();
    }
    router::IptablesAnswer answer;
    if (args->has(router::iptables::kShows)) {
        rules::Counted counted{ruleset, {}};
        for (std::size_t i = 0; i < rules::kTableCount; ++i) {
            const auto id = static_cast<rules::TableId>(i);
            counted.counters.table(family, id) =
                rules::first_counters(std::as_const(ruleset).table(family, id));
        }
        answer = router::show_rules(*args, counted);
    }
    if (answer.code == 0 && !args->only_shows()) {
        const router::IptablesAnswer changed = router::change_rules(*args, ruleset);
        answer.text += changed.text;
        answer.errors += changed.errors;
        answer.code = changed.code;
    }
    answer.errors = args->warnings + answer.errors;
    return answer;
}

}  // namespace nsr::test
