// What was recorded of the kernel's own tools (record.py), and the router's tool on the same words.
#pragma once

#include <string>
#include <vector>

#include "core/rules/ruleset.hpp"
#include "router/tools/iptables/command.hpp"

namespace nsr::test {

struct RecordedCommand {
    std::string words;       // as in a shell
    std::string given;       // what it reads
    bool own_words = false;  // the text of its error is not compared
    router::IptablesAnswer answer;
    int line = 0;
};

struct RecordedSequence {
    std::string name;
    Family family = Family::Ipv4;
    std::vector<RecordedCommand> commands;
};

// Of a file in tests/iptables.
std::vector<RecordedSequence> recorded_sequences(const std::string& file);
std::vector<std::string> lines_of(const std::string& file);

// One command on `ruleset`, as the control port runs it; counters are those that rules begin with.
router::IptablesAnswer run_iptables(rules::Ruleset& ruleset, Family family,
                                    const std::vector<std::string>& words);

}  // namespace nsr::test
