// How rules name address sets: "NAME src,dst".
#pragma once

#include <optional>
#include <string>

#include "core/base/config_error.hpp"
#include "core/rules/action_param.hpp"
#include "core/rules/options.hpp"
#include "core/rules/ruleset.hpp"
#include "core/sets/catalogue.hpp"
#include "core/sets/packet_element.hpp"

namespace nsr::rules {

struct SetUse {
    std::string name;
    sets::Directions directions;
};

// From the two words behind an option; nothing after an error was reported.
std::optional<SetUse> read_set_use(const GivenOption& given, const RuleContext& context);
std::string to_string(const SetUse& use);

sets::Seen seen_by_sets(const ActionParam& par);

// How often the rules name each set.
sets::References set_references(const Ruleset& ruleset);
// Rules that name a set that is not there, or that is for the other family.
// kernel: get_set_byname of libxt_set
ConfigErrors check_sets(const Ruleset& ruleset, const sets::Catalogue& catalogue);

}  // namespace nsr::rules
