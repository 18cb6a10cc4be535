// `ip rule` on a running router.
#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ip/rule_text.hpp"

namespace nsr::router {
namespace {

using routing::PolicyRule;
using routing::PortRange;
using routing::RuleChange;
using routing::RuleQuery;

// As ip(8), without -6 those of IPv4.
Family family_of(const IpArgs& args) {
    return args.family == Family::None ? Family::Ipv4 : args.family;
}

// What holds no address is in no prefix. iproute2: inet_addr_match_rta
bool is_within(const Prefix& wanted, const Prefix& prefix) {
    return wanted.length == 0 || (prefix.length != 0 && wanted.contains(prefix.address));
}

bool same_ports(const PortRange& wanted, const PortRange& ports) {
    return wanted.last == 0 || wanted == ports;
}

bool selects_all(const RuleQuery& query) {
    PolicyRule any;
    any.family = query.like.family;
    return query.any_action && !query.priority && query.like == any;
}

// iproute2: filter_nlmsg
bool is_selected(const PolicyRule& rule, const RuleQuery& query) {
    const PolicyRule& like = query.like;
    const bool leads = query.any_action || rule.table == like.table;
    const bool marked = (like.mark == 0 || rule.mark == like.mark) &&
                        (like.mark_mask == 0 || rule.mark_mask == like.mark_mask);
    return leads && marked && (!query.priority || rule.priority == *query.priority) &&
           (!like.inverted || rule.inverted) && is_within(like.from, rule.from) &&
           is_within(like.to, rule.to) && (like.in.empty() || rule.in == like.in) &&
           (like.out.empty() || rule.out == like.out) && (like.tos == 0 || rule.tos == like.tos) &&
           (like.protocol == 0 || rule.protocol == like.protocol) &&
           same_ports(like.source_ports, rule.source_ports) &&
           same_ports(like.destination_ports, rule.destination_ports);
}

// All that are meant but those of priority 0. As ip(8), which has each removed by what it asks for.
void flush_rules(const IpArgs& args, Router& router) {
    if (selects_all(args.rule)) {
        return router.flush_policy_rules(family_of(args));
    }
    const std::vector<PolicyRule> all = router.routes().rules().of(family_of(args));
    for (const PolicyRule& rule : all) {
        if (rule.priority != 0 && is_selected(rule, args.rule)) {
            static_cast<void>(router.remove_policy_rule({rule, rule.priority}));
        }
    }
}

}  // namespace

std::string change_rule(const IpArgs& args, Router& router) {
    if (args.action == IpAction::RuleFlush) {
        flush_rules(args, router);
        return {};
    }
    const RuleChange change = args.action == IpAction::RuleAdd
                                  ? router.add_policy_rule(args.rule.like, args.rule.priority)
                                  : router.remove_policy_rule(args.rule);
    switch (change) {
        case RuleChange::Done:
            return {};
        case RuleChange::Exists:
            return "RTNETLINK answers: File exists";
        case RuleChange::Backwards:
            return "Error: Backward goto not supported.";
        case RuleChange::Missing:
            break;
    }
    return "RTNETLINK answers: No such file or directory";
}

std::string rule_listing(const Router& router, const IpArgs& args) {
    std::string text;
    const auto& rules = router.routes().rules().of(family_of(args));
    for (const PolicyRule& rule : rules) {
        text +=
            is_selected(rule, args.rule) ? rule_text(rule, rules, router.interfaces()) + "\n" : "";
    }
    return text;
}

}  // namespace nsr::router
