#include "core/rules/ruleset.hpp"

namespace nsr::rules {

std::string_view name_of(Policy policy) {
    switch (policy) {
        case Policy::Accept:
            return "ACCEPT";
        case Policy::Drop:
            return "DROP";
        case Policy::None:
            break;
    }
    return "-";
}

Chain& Table::add(std::string name, Policy policy) {
    places_.emplace(name, chains.size());
    return chains.emplace_back(Chain{std::move(name), policy, {}, {}});
}

Chain* Table::find(std::string_view chain) {
    const auto found = places_.find(chain);
    return found == places_.end() ? nullptr : &chains[found->second];
}

const Chain* Table::find(std::string_view chain) const {
    const auto found = places_.find(chain);
    return found == places_.end() ? nullptr : &chains[found->second];
}

Table& Ruleset::load(Family family, TableId id) {
    Table& loaded = table(family, id);
    if (!loaded.loaded) {
        loaded.loaded = true;
        for (unsigned i = 0; i < kHookCount; ++i) {
            if (has_chain(id, static_cast<Hook>(i))) {
                loaded.add(std::string(nsr::name_of(static_cast<Hook>(i))), Policy::Accept);
            }
        }
    }
    return loaded;
}

const Rule* add_rule(Ruleset& ruleset, Chain& chain, Rule rule) {
    rule.id = ruleset.next_id;
    ruleset.next_id = RuleId{raw(ruleset.next_id) + 1};
    chain.rules.push_back(std::move(rule));
    return &chain.rules.back();
}

}  // namespace nsr::rules
