// One rule from words to values: options are looked up in the modules' tables as getopt_long does
// for iptables (abbreviations included), negation and arity are checked, then every module makes
// its Match or Target. More lenient than iptables in one way: -p and -j may stand behind the
// options that need them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/words.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/words/host_names.hpp"

namespace nsr::rules {

struct RuleRequest {
    Family family;
    TableId table;
    std::string_view chain;
    const Table& chains;  // where -j looks for user chains
    SourceLocation where;
    const Tolerance& tolerance;
    const HostNames& names;
    std::optional<RuleCounters> counters = {};  // that stand before the rule, as -c may in it
    bool may_count = true;                      // not with -D and -C
};

// The rules that the words describe: one, or several when -s or -d is a list. Empty after an error.
// Ids are not given yet.
std::vector<Rule> parse_rule_words(const RuleRequest& request, const std::vector<Word>& words,
                                   ConfigErrors& errors);

}  // namespace nsr::rules
