// The words of conntrack(8) as a value.
//
// They are read as the tool reads them: by getopt_long(3), with the options of a protocol behind
// -p, and its messages. What stands attached to an option whose value is optional counts here, and
// what is no number is refused (differs: conntrack-attached, conntrack-numbers).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

struct ConntrackLine {
    ConntrackArgs args;                 // valid iff `problem` is empty
    std::vector<std::string> warnings;  // lines for standard error, in any case
    std::string problem;
    bool usage = true;  // of the problem: exit code 2 and a hint, else 1
};

// `words` without the program's name.
ConntrackLine read_conntrack_line(const std::vector<std::string>& words);

// The same where only the problem counts: one sentence for people.
Result<ConntrackArgs, std::string> parse_conntrack_args(const std::vector<std::string>& words);
// Splits at blanks first; quotes keep blanks.
Result<ConntrackArgs, std::string> parse_conntrack_args(std::string_view line);
// A command and filters as --NAME=VALUE in any order: what parameters of a request say. Ports,
// states and ICMP types need no protocol.
Result<ConntrackArgs, std::string> parse_conntrack_query(std::vector<std::string> words);

}  // namespace nsr::router
