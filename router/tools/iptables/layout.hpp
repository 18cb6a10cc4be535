// The lines that iptables(8) prints of chains and rules.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/rules/ruleset.hpp"
#include "router/tools/iptables/saved_rule.hpp"

namespace nsr::router {

struct TableStyle {
    Family family = Family::Ipv4;
    bool numeric = false;
    bool counters = false;  // and interfaces: -v
    bool exact = false;
    bool line_numbers = false;
};

// The numbers of the table's chains in the order in which they are shown: built-in ones first, then
// user chains by their names.
std::vector<std::size_t> listed_chains(const rules::Table& table);

// Two lines: "Chain INPUT (policy ACCEPT)" or "Chain web (1 references)", and the columns.
std::string chain_heading(const rules::Chain& chain, const rules::RuleCounters& policy,
                          std::size_t references, const TableStyle& style);
// A rule as a row of -L.
std::string rule_row(std::size_t number, const rules::Rule& rule,
                     const rules::RuleCounters& counters, const TableStyle& style);
// The same from the target on, without numbers and counters.
std::string saved_row(const SavedRule& rule, const TableStyle& style);
// What -v prints of a rule that is added, deleted or looked for.
std::string echo_of(const rules::Rule& rule, Family family);
std::string saved_echo(const SavedRule& rule, Family family);
// "-A INPUT -p tcp -j ACCEPT", or with " -c 1 60" before the target.
std::string rule_command(const rules::Chain& chain, const rules::Rule& rule,
                         const rules::RuleCounters* counters);

}  // namespace nsr::router
