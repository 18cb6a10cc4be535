#include "core/rules/ruleset.hpp"

#include <utility>

#include "core/base/check.hpp"

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
    places_.change().emplace(name, chains.size());
    Chain& added = chains.chains_.emplace_back().change();
    added.name = std::move(name);
    added.policy = policy;
    return added;
}

void Table::remove(std::string_view chain) {
    Places& places = places_.change();
    const auto found = places.find(chain);
    NSR_CHECK(found != places.end());
    const std::size_t removed = found->second;
    places.erase(found);
    chains.chains_.erase(chains.chains_.begin() + static_cast<std::ptrdiff_t>(removed));
    for (auto& [name, place] : places) {
        place -= place > removed ? 1 : 0;
    }
}

void Table::rename(std::string_view chain, std::string to) {
    Places& places = places_.change();
    const auto found = places.find(chain);
    NSR_CHECK(found != places.end() && !places.contains(to));
    const std::size_t place = found->second;
    places.erase(found);
    places.emplace(to, place);
    chains.change(place).name = std::move(to);
}

std::size_t Table::number_of(std::string_view chain) const {
    const auto found = places_->find(chain);
    return found == places_->end() ? kNone : found->second;
}

Chain* Table::find(std::string_view chain) {
    const std::size_t number = number_of(chain);
    return number == kNone ? nullptr : &chains.change(number);
}

const Chain* Table::find(std::string_view chain) const {
    const std::size_t number = number_of(chain);
    return number == kNone ? nullptr : &chains[number];
}

// What a policy counted under an earlier load of the table is forgotten.
Table& Ruleset::load(Family family, TableId id) {
    Table& loaded = table(family, id);
    if (loaded.loaded) {
        return loaded;
    }
    loaded.loaded = true;
    const std::uint64_t counting = ++loads_ << 32;
    for (unsigned i = 0; i < kHookCount; ++i) {
        if (has_chain(id, static_cast<Hook>(i))) {
            loaded.add(std::string(nsr::name_of(static_cast<Hook>(i))), Policy::Accept).counting =
                counting;
        }
    }
    return loaded;
}

RuleId take_id(Ruleset& ruleset) {
    return std::exchange(ruleset.next_id, RuleId{raw(ruleset.next_id) + 1});
}

const Rule* add_rule(Ruleset& ruleset, Chain& chain, Rule rule) {
    rule.id = take_id(ruleset);
    chain.rules.push_back(std::move(rule));
    return &chain.rules[chain.rules.size() - 1];
}

}  // namespace nsr::rules
