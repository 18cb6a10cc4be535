// The words of `ip rule`, which [[rule]] of a configuration takes, too.
#pragma once

#include <span>
#include <string>

#include "core/base/result.hpp"
#include "router/tools/ip/ip_args.hpp"

namespace nsr::router {

// add, del
Result<IpArgs, std::string> parse_rule_words(IpArgs args, std::span<const std::string> words);
// show, flush: what is not said does not matter
Result<IpArgs, std::string> parse_rule_selection(IpArgs args, std::span<const std::string> words);

// One word with its value ("fwmark", "1/0xff"); empty: it is part of `query` now, else what is
// wrong. `not` and the actions take no value.
std::string set_rule_word(std::string_view word, const std::string& value,
                          routing::RuleQuery& query);
[[nodiscard]] bool takes_no_value(std::string_view word);
// What is wrong with the rule as a whole; empty: nothing.
std::string finish_rule(routing::RuleQuery& query);

}  // namespace nsr::router
