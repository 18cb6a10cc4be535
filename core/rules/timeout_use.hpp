// How rules name timeout policies: CT --timeout NAME.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/base/config_error.hpp"
#include "core/conntrack/record/timeout_policy.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

struct TimeoutUse {
    std::string name;
    std::uint8_t protocol = 0;  // of the rule
};

// How often rules name each policy, which then cannot be removed. kernel: ctnl_timeout.refcnt
using TimeoutReferences = std::map<std::string, std::size_t, std::less<>>;
TimeoutReferences timeout_references(const Ruleset& ruleset);
// Rules that name a policy that is not there, or that is for another family or protocol.
// kernel: nf_ct_set_timeout
ConfigErrors check_timeouts(const Ruleset& ruleset, const conntrack::TimeoutCatalogue& known);

}  // namespace nsr::rules
