#include "router/tools/ip/rule_text.hpp"

#include <algorithm>

#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

using routing::PolicyRule;
using routing::PortRange;
using routing::RuleAction;

std::string prefix_text(const Prefix& prefix) {
    const bool host = prefix.length == prefix.address.bits();
    return host ? to_string(prefix.address) : to_string(prefix);
}

std::string interface_text(const char* word, const std::string& name,
                           const routing::InterfaceTable& interfaces) {
    const bool detached = name != "lo" && interfaces.find(name) == nullptr;
    return name.empty() ? ""
                        : " " + std::string(word) + " " + name + (detached ? " [detached]" : "");
}

std::string ports_text(const char* word, const PortRange& ports) {
    if (ports.last == 0) {
        return {};
    }
    const std::string to = ports.first == ports.last ? "" : "-" + std::to_string(ports.last);
    return " " + std::string(word) + " " + std::to_string(ports.first) + to;
}

std::string mark_text(const PolicyRule& rule) {
    if (rule.mark == 0 && rule.mark_mask == 0) {
        return {};
    }
    const std::string mask = rule.mark_mask == 0xffffffff ? "" : "/" + hexadecimal(rule.mark_mask);
    return " fwmark " + hexadecimal(rule.mark) + mask;
}

std::string action_text(const PolicyRule& rule, const std::vector<PolicyRule>& all) {
    switch (rule.action) {
        case RuleAction::Table:
            return " lookup " + table_name(rule.table);
        case RuleAction::Goto: {
            const bool resolved = std::any_of(all.begin(), all.end(), [&](const PolicyRule& each) {
                return each.priority == rule.target;
            });
            return " goto " + std::to_string(rule.target) + (resolved ? "" : " [unresolved]");
        }
        case RuleAction::Nop:
            return " nop";
        case RuleAction::Blackhole:
            return " blackhole";
        case RuleAction::Prohibit:
            return " prohibit";
        case RuleAction::Unreachable:
            break;
    }
    return " unreachable";
}

}  // namespace

std::string rule_text(const PolicyRule& rule, const std::vector<PolicyRule>& all,
                      const routing::InterfaceTable& interfaces) {
    std::string text = std::to_string(rule.priority) + ":\t" + (rule.inverted ? "not " : "");
    text += "from " + (rule.from.length == 0 ? std::string("all") : prefix_text(rule.from));
    text += rule.to.length == 0 ? "" : " to " + prefix_text(rule.to);
    text += rule.tos == 0 ? "" : " tos " + hexadecimal(rule.tos, 2);
    text += mark_text(rule);
    text += interface_text("iif", rule.in, interfaces);
    text += interface_text("oif", rule.out, interfaces);
    text += rule.protocol == 0 ? "" : " ipproto " + ipproto_name(rule.protocol);
    text += ports_text("sport", rule.source_ports) + ports_text("dport", rule.destination_ports);
    text += action_text(rule, all);
    if (rule.suppress_prefixlength != -1) {
        text += " suppress_prefixlength " + std::to_string(rule.suppress_prefixlength);
    }
    return text;
}

}  // namespace nsr::router
