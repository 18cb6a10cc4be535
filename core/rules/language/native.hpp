// Rules of the configuration: one at a time, as words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/result.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/words/host_names.hpp"

namespace nsr::rules {

// A rule given as words ("-p", "tcp", "--dport", "80", "-j", "ACCEPT"), for native TOML rules; it
// stands for several where -s or -d is a list. Errors carry `where`.
Result<std::vector<Rule>, ConfigErrors> parse_rules(const std::vector<std::string>& words,
                                                    Family family, TableId table,
                                                    std::string_view chain, const Ruleset& context,
                                                    const SourceLocation& where,
                                                    const HostNames& names = {});

}  // namespace nsr::rules
