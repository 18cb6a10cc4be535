#include "router/changes/rule_change.hpp"

#include <utility>

#include "core/sets/sets.hpp"

namespace nsr::router {

bool RuleChange::begin() {
    if (!parts_.router.read_counters(reading_)) {
        return false;
    }
    basis_ = parts_.router.rules_basis(reading_);
    return true;
}

void RuleChange::work() {
    Result<rules::Ruleset, std::string> made = make_(basis_->counted());
    if (made) {
        prepared_ = prepare_rules(std::move(*made), *basis_);
    } else {
        refusal_ = made.error();
    }
}

// Of what the new rules name: it may have gone since they were checked.
std::string RuleChange::missing_name() const {
    for (const auto& [name, times] : prepared_->sets) {
        if (!parts_.router.sets().id_of(name)) {
            return "Set " + name + " doesn't exist";
        }
    }
    for (const auto& [name, times] : prepared_->timeouts) {
        if (parts_.router.timeout_policies().find(name) == nullptr) {
            return "No such timeout policy \"" + name + "\"";
        }
    }
    return {};
}

Task::Next RuleChange::finish(const std::string& failure) {
    if (failure.empty() && prepared_) {
        refusal_ = missing_name();
    }
    const bool changes = failure.empty() && refusal_.empty() && prepared_.has_value();
    if (changes) {
        parts_.router.adopt(*prepared_, parts_.clock.now());
        parts_.engine.deadlines_changed();
    }
    const RulesChanged done = std::move(done_);
    parts_.worker.destroy(std::move(basis_));
    parts_.worker.destroy(std::move(prepared_));
    parts_.worker.destroy(std::move(make_));
    done(changes ? Result<Done, std::string>(Done{}) : failure + refusal_);
    return Next::Over;
}

}  // namespace nsr::router
