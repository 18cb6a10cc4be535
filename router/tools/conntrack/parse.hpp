// The words of conntrack(8) as a value.
//
// It understands -L -G -D -I -U -E -F -C -S with the filters and options of conntrack(8) for the
// tables conntrack and expect, short and long, `--option value` and `--option=value`. It reports
// the first mistake in words, those of the tool where it has some; which options go with which
// command is legal.hpp's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// `words` without the program's name. The error is one sentence for people.
Result<ConntrackArgs, std::string> parse_conntrack_args(const std::vector<std::string>& words);
// Splits at blanks first; quotes keep blanks.
Result<ConntrackArgs, std::string> parse_conntrack_args(std::string_view line);

}  // namespace nsr::router
