#include "core/conntrack/timeout_policies.hpp"

#include <algorithm>

#include "core/base/ids.hpp"

namespace nsr::conntrack {

bool TimeoutPolicies::put(const TimeoutPolicy& policy) {
    const auto known = ids_.find(policy.name);
    Slot* const old = known == ids_.end() ? nullptr : &slot(known->second);
    if (old != nullptr && old->policy->family == policy.family &&
        old->policy->protocol == policy.protocol) {
        old->policy = policy;
        return true;
    }
    const bool has_own = old != nullptr && old->connections == 0;
    const TimeoutPolicyId id = has_own ? known->second : free_slot();
    if (id == TimeoutPolicyId::None) {
        return false;
    }
    remove(policy.name);
    slot(id).policy = policy;
    ids_.emplace(policy.name, id);
    order_.push_back(id);
    return true;
}

TimeoutPolicyId TimeoutPolicies::free_slot() {
    const auto free = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
        return !slot.policy && slot.connections == 0;
    });
    if (free == slots_.end() && slots_.size() == kMostTimeoutPolicies) {
        return TimeoutPolicyId::None;
    }
    const auto number = free - slots_.begin() + 1;
    if (free == slots_.end()) {
        slots_.emplace_back();
    }
    return static_cast<TimeoutPolicyId>(number);
}

bool TimeoutPolicies::remove(std::string_view name) {
    const auto known = ids_.find(name);
    if (known == ids_.end()) {
        return false;
    }
    slot(known->second).policy.reset();
    std::erase(order_, known->second);
    ids_.erase(known);
    return true;
}

const TimeoutPolicy* TimeoutPolicies::find(std::string_view name) const {
    const auto known = ids_.find(name);
    return known == ids_.end() ? nullptr : &*slots_[raw(known->second) - std::size_t{1}].policy;
}

TimeoutPolicyId TimeoutPolicies::id_of(std::string_view name) const {
    const auto known = ids_.find(name);
    return known == ids_.end() ? TimeoutPolicyId::None : known->second;
}

std::vector<const TimeoutPolicy*> TimeoutPolicies::all() const {
    std::vector<const TimeoutPolicy*> policies;
    for (const TimeoutPolicyId id : order_) {
        policies.push_back(&*slots_[raw(id) - std::size_t{1}].policy);
    }
    return policies;
}

TimeoutCatalogue TimeoutPolicies::catalogue() const {
    TimeoutCatalogue known;
    for (const TimeoutPolicy* policy : all()) {
        known.emplace(policy->name, TimeoutKind{policy->family, policy->protocol});
    }
    return known;
}

const Timeouts* TimeoutPolicies::timeouts(TimeoutPolicyId id) const {
    if (id == TimeoutPolicyId::None) {
        return nullptr;
    }
    const Slot& found = slots_[raw(id) - std::size_t{1}];
    return found.policy ? &found.policy->timeouts : nullptr;
}

void TimeoutPolicies::join(TimeoutPolicyId id) {
    if (id != TimeoutPolicyId::None) {
        ++slot(id).connections;
    }
}

void TimeoutPolicies::leave(TimeoutPolicyId id) {
    if (id != TimeoutPolicyId::None) {
        --slot(id).connections;
    }
}

}  // namespace nsr::conntrack
