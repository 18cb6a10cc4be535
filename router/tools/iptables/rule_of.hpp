// The rules that a command describes, and what the tool says if there are none.
#pragma once

#include <string_view>
#include <vector>

#include "core/rules/ruleset.hpp"
#include "router/tools/iptables/command.hpp"

namespace nsr::router {

// How the kernel refuses what the tool has no words for; the cause is in the log.
inline constexpr std::string_view kInvalidArgument =
    "Invalid argument. Run `dmesg' for more information.";

// Where rules made by a command come from.
inline constexpr std::string_view kByCommand = "by command";

// One for each pair of addresses.
Result<std::vector<rules::Rule>, IptablesAnswer> rules_of(const IptablesArgs& args,
                                                          rules::TableId table,
                                                          const rules::Ruleset& ruleset);

}  // namespace nsr::router
