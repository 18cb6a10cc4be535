// The question itself: which route a flow takes. kernel: fib_rules_lookup, fib4_rule_action,
// fib6_rule_action
#include <algorithm>

#include "core/routing/route_table.hpp"

namespace nsr::routing {

namespace {

// What no route decides.
std::optional<Destination> special(const IpAddress& destination) {
    if (destination.is_multicast()) {
        return Destination::Multicast;
    }
    if (destination.is_limited_broadcast()) {
        return Destination::Broadcast;
    }
    if (destination.is_loopback()) {
        return Destination::Local;
    }
    return std::nullopt;
}

// An unreachable rule is no route, not an unreachable one. kernel: fib4_rule_action
Destination kind_of(RuleAction action) {
    switch (action) {
        case RuleAction::Blackhole:
            return Destination::Blackhole;
        case RuleAction::Prohibit:
            return Destination::Prohibit;
        case RuleAction::Unreachable:
        case RuleAction::Table:
        case RuleAction::Goto:
        case RuleAction::Nop:
            break;
    }
    return Destination::None;
}

}  // namespace

Decision RouteTable::lookup(const Flow& flow) const {
    const Answer answer = find(flow);
    return answer.target == nullptr ? Decision{.kind = answer.kind}
                                    : answer.table->decide(*answer.target, flow, key_);
}

bool RouteTable::leads_through(const Flow& flow, IfIndex interface) const {
    const Answer answer = find(flow);
    return answer.target != nullptr && answer.table->leads_through(*answer.target, interface);
}

RouteTable::Answer RouteTable::find(const Flow& flow) const {
    if (const auto kind = special(flow.destination)) {
        return {.kind = *kind};
    }
    if (!plain_[index_of(flow.destination.family)]) {
        return ask_rules(flow);
    }
    return {.target = main_.find(flow, RouteIndex::Own::Counts), .table = &main_};
}

RouteTable::Answer RouteTable::ask_rules(const Flow& flow) const {
    const std::vector<Asked>& all = asked_[index_of(flow.destination.family)];
    std::size_t at = 0;
    while (at < all.size()) {
        const Asked& asked = all[at];
        const PolicyRule& rule = asked.rule;
        ++at;
        if (rule.action == RuleAction::Nop || !matches(rule, asked.interfaces, flow)) {
            continue;
        }
        if (rule.action == RuleAction::Goto) {
            at = asked.next;
            continue;
        }
        if (rule.action != RuleAction::Table) {
            return {.kind = kind_of(rule.action)};
        }
        const Target* found = asked.table == nullptr ? nullptr : asked.table->find(flow, asked.own);
        // kernel: fib4_rule_suppress, fib6_rule_suppress
        if (found != nullptr && !found->throws && found->length > rule.suppress_prefixlength) {
            return {.target = found, .table = asked.table};
        }
    }
    return {};
}

// --- rules --------------------------------------------------------------------------------------

RuleChange RouteTable::add_rule(const PolicyRule& rule, std::optional<std::uint32_t> priority) {
    const RuleChange change = rules_.add(rule, priority);
    follow_rules();
    return change;
}

RuleChange RouteTable::remove_rule(const RuleQuery& query) {
    const RuleChange change = rules_.remove(query);
    follow_rules();
    return change;
}

void RouteTable::flush_rules(Family family) {
    rules_.flush(family);
    follow_rules();
}

void RouteTable::assign_rules(const RuleList& rules) {
    rules_ = rules;
    follow_rules();
}

// After rules, interfaces or tables have changed.
void RouteTable::follow_rules() {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const std::size_t index = index_of(family);
        custom_[index] = !rules_.untouched(family);
        const bool plain = !custom_[index] && find_table(kDefaultTable) == nullptr;
        plain_[index] = plain;
        auto& all = asked_[index];
        all.clear();
        for (const PolicyRule& rule : plain ? std::vector<PolicyRule>{} : rules_.of(family)) {
            all.push_back(asked(rule));
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::uint32_t target = all[i].rule.target;
            const auto there = std::find_if(all.begin(), all.end(), [&](const Asked& each) {
                return each.rule.priority == target;
            });
            const bool resolved = there != all.end() && target > all[i].rule.priority;
            all[i].next = resolved ? static_cast<std::size_t>(there - all.begin()) : i + 1;
        }
        reads_ports_[index] = std::any_of(all.begin(), all.end(), [](const Asked& each) {
            return each.rule.source_ports.last != 0 || each.rule.destination_ports.last != 0;
        });
    }
}

RouteTable::Asked RouteTable::asked(const PolicyRule& rule) const {
    const auto index_of_name = [&](const std::string& name) {
        const Interface* interface = interfaces_.find(name);
        const IfIndex index = interface == nullptr ? IfIndex::None : interface->index;
        return name == "lo" ? IfIndex::Loopback : index;
    };
    Asked asked;
    asked.rule = rule;
    asked.interfaces = {index_of_name(rule.in), index_of_name(rule.out)};
    asked.table = find_table(rule.table);
    asked.own = rule.table == kMainTable ? RouteIndex::Own::Skipped : RouteIndex::Own::Counts;
    return asked;
}

// Null: there is no route in it.
const RouteIndex* RouteTable::find_table(std::uint32_t table) const {
    if (table == kMainTable || table == kLocalTable) {
        return table == kMainTable ? &main_ : &local_;
    }
    const auto found = others_.find(table);
    return found == others_.end() ? nullptr : &found->second;
}

}  // namespace nsr::routing
