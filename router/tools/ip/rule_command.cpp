// `ip rule` on a running router.
#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ip/rule_text.hpp"

namespace nsr::router {
namespace {

using routing::RuleChange;

// As ip(8), without -6 those of IPv4.
Family family_of(const IpArgs& args) {
    return args.family == Family::None ? Family::Ipv4 : args.family;
}

}  // namespace

std::string change_rule(const IpArgs& args, Router& router) {
    if (args.action == IpAction::RuleFlush) {
        router.flush_policy_rules(family_of(args));
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
    for (const routing::PolicyRule& rule : rules) {
        text += rule_text(rule, rules, router.interfaces()) + "\n";
    }
    return text;
}

}  // namespace nsr::router
