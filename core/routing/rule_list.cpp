#include "core/routing/rule_list.hpp"

#include <algorithm>
#include <utility>

namespace nsr::routing {

namespace {

using Rules = std::vector<PolicyRule>;

PolicyRule lookup(Family family, std::uint32_t priority, std::uint32_t table) {
    PolicyRule rule;
    rule.family = family;
    rule.priority = priority;
    rule.table = table;
    return rule;
}

// kernel: fib_default_rules_init, fib6_rules_net_init
Rules initial(Family family) {
    Rules rules = {lookup(family, 0, kLocalTable), lookup(family, kMainPriority, kMainTable)};
    if (family == Family::Ipv4) {
        rules.push_back(lookup(family, kDefaultPriority, kDefaultTable));
    }
    return rules;
}

// kernel: fib_nl2rule, list insertion behind those of the same priority
void insert(PolicyRule rule, Rules& rules) {
    const auto behind = std::find_if(rules.begin(), rules.end(), [&](const PolicyRule& each) {
        return each.priority > rule.priority;
    });
    rules.insert(behind, std::move(rule));
}

// kernel: rule_find, fib4_rule_compare, fib6_rule_compare
bool is_meant(const PolicyRule& rule, const RuleQuery& query) {
    const PolicyRule& like = query.like;
    const bool same_action =
        query.any_action || (rule.action == like.action && rule.target == like.target &&
                             (like.table == 0 || rule.table == like.table));
    return same_action && (!query.priority || rule.priority == *query.priority) &&
           (like.in.empty() || rule.in == like.in) && (like.out.empty() || rule.out == like.out) &&
           (like.mark == 0 || rule.mark == like.mark) &&
           (like.mark_mask == 0 || rule.mark_mask == like.mark_mask) &&
           (like.suppress_prefixlength == -1 ||
            rule.suppress_prefixlength == like.suppress_prefixlength) &&
           (like.protocol == 0 || rule.protocol == like.protocol) &&
           (like.source_ports.last == 0 || rule.source_ports == like.source_ports) &&
           (like.destination_ports.last == 0 || rule.destination_ports == like.destination_ports) &&
           (like.from.length == 0 || rule.from == like.from) &&
           (like.to.length == 0 || rule.to == like.to) && (like.tos == 0 || rule.tos == like.tos);
}

}  // namespace

RuleList::RuleList() : rules_{initial(Family::Ipv4), initial(Family::Ipv6)} {
}

RuleChange RuleList::add(PolicyRule rule, std::optional<std::uint32_t> priority) {
    Rules& rules = rules_[index_of(rule.family)];
    rule.priority = priority.value_or(free_priority(rule.family));
    if (rule.action == RuleAction::Goto && rule.target <= rule.priority) {
        return RuleChange::Backwards;
    }
    if (std::find(rules.begin(), rules.end(), rule) != rules.end()) {
        return RuleChange::Exists;
    }
    insert(std::move(rule), rules);
    return RuleChange::Done;
}

RuleChange RuleList::remove(const RuleQuery& query) {
    Rules& rules = rules_[index_of(query.like.family)];
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [&](const PolicyRule& each) { return is_meant(each, query); });
    if (found == rules.end()) {
        return RuleChange::Missing;
    }
    rules.erase(found);
    return RuleChange::Done;
}

void RuleList::flush(Family family) {
    std::erase_if(rules_[index_of(family)],
                  [](const PolicyRule& rule) { return rule.priority != 0; });
}

void RuleList::assign(const std::vector<PolicyRule>& rules) {
    *this = RuleList();
    for (const PolicyRule& rule : rules) {
        insert(rule, rules_[index_of(rule.family)]);
    }
}

bool RuleList::untouched(Family family) const {
    return of(family) == initial(family);
}

std::uint32_t RuleList::free_priority(Family family) const {
    const Rules& rules = of(family);
    return rules.size() > 1 && rules[1].priority != 0 ? rules[1].priority - 1 : 0;
}

}  // namespace nsr::routing
