// What the rules of a ruleset need of the router.
#pragma once

#include <optional>
#include <string>

#include "core/base/config_error.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// The first rule that needs connection tracking: where it is, and its text. A loaded nat table
// counts as one, and is nowhere.
std::optional<ConfigError> tracking_user(const Ruleset& ruleset, Family family);
// The same as "file:line: rule text". Empty: none.
std::string needs_tracking(const Ruleset& ruleset, Family family);

// Some rule that `before` does not have reads the counters of connections (connbytes):
// nf_conntrack_acct must become 1. kernel: connbytes_mt_check
bool begins_accounting(const Ruleset& ruleset, const Ruleset& before);

// The first rule that cannot be divided among several shards, and why: what it remembers of
// packets, or gives to others, would be only that of a shard. Nothing: each shard may have these
// rules.
std::optional<ConfigError> needs_one_shard(const Ruleset& ruleset);

}  // namespace nsr::rules
