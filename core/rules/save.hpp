// iptables-save text of a ruleset: the canonical form, which parse_save reads back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/rules/counters.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// iptables-save -c text of all loaded tables of a family.
std::string save(const Ruleset& ruleset, Family family, const Counters& counters);
// The same with the counters that rules and policies begin with, or without any.
std::string save(const Ruleset& ruleset, Family family, bool with_counters);

// Its lines of one table, without the frame: chains, then rules.
std::vector<std::string> save_lines(const Table& table, const TableCounters& counters);

// One rule as iptables-save writes it, behind "-A "; without `chain`, what follows that.
std::string rule_text(std::string_view chain, const Rule& rule);

}  // namespace nsr::rules
