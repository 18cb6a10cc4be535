// What only a complete ruleset shows: loops, unknown chains, and matches or targets that are
// illegal at a hook from which their chain can be reached. kernel: mark_source_chains,
// xt_check_match, xt_check_target
#pragma once

#include "core/base/config_error.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// parse_save does this itself; call it after adding native rules.
ConfigErrors check(const Ruleset& ruleset, Family family);
// The same of one table.
ConfigErrors check(const Table& table, TableId id);

}  // namespace nsr::rules
