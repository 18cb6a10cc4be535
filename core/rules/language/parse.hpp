// Lines of iptables-save text: words, quotes and counters. The entry points are in ruleset.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/language/rule_parser.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// Splits a line at blanks; "..." keeps blanks, and \ in it takes the next character as it is.
// Nothing if a quote is not closed.
std::optional<std::vector<Word>> split_words(std::string_view line);

// "[packets:bytes]"
std::optional<RuleCounters> parse_counters(std::string_view text);

}  // namespace nsr::rules
