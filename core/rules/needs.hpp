// What the rules of a ruleset need of connection tracking.
#pragma once

#include <string>

#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// The first rule that needs connection tracking, as "file:line: rule text"; a loaded nat table
// counts as one. Empty: none.
std::string needs_tracking(const Ruleset& ruleset, Family family);

// Some rule that `before` does not have reads the counters of connections (connbytes):
// nf_conntrack_acct must become 1. kernel: connbytes_mt_check
bool begins_accounting(const Ruleset& ruleset, const Ruleset& before);

}  // namespace nsr::rules
