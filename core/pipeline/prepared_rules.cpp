#include "core/pipeline/prepared_rules.hpp"

#include "core/rules/needs.hpp"

namespace nsr {

PreparedRules prepare_rules(rules::Ruleset next, const RulesBasis& basis) {
    std::array<std::string, 2> users;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        users[index_of(family)] = rules::needs_tracking(next, family);
    }
    const bool begins_accounting = rules::begins_accounting(next, basis.ruleset);
    return {rules::Program(std::move(next), basis.interfaces), std::move(users), begins_accounting};
}

}  // namespace nsr
