#include "core/routing/policy_rule.hpp"

namespace nsr::routing {

namespace {

// A name that is no interface's is that of no packet's. kernel: fib_rule_match, ifindex -1
bool is_interface(const std::string& name, IfIndex meant, IfIndex is) {
    return name.empty() || (meant != IfIndex::None && meant == is);
}

bool is_within(const Prefix& prefix, const IpAddress& address) {
    return prefix.length == 0 || prefix.contains(address);
}

bool is_port(const PortRange& range, Port port) {
    return range.last == 0 || (range.first <= port && port <= range.last);
}

// kernel: fib_rule_match, fib4_rule_match, fib6_rule_match
bool all_match(const PolicyRule& rule, const RuleInterfaces& interfaces, const Flow& flow) {
    return is_interface(rule.in, interfaces.in, flow.in) &&
           is_interface(rule.out, interfaces.out, flow.out) &&
           ((rule.mark ^ flow.mark) & rule.mark_mask) == 0 && is_within(rule.from, flow.source) &&
           is_within(rule.to, flow.destination) &&
           (rule.tos == 0 || rule.tos == routed_tos(rule.family, flow.tos)) &&
           (rule.protocol == 0 || rule.protocol == flow.protocol) &&
           is_port(rule.source_ports, flow.source_port) &&
           is_port(rule.destination_ports, flow.destination_port);
}

}  // namespace

bool matches(const PolicyRule& rule, const RuleInterfaces& interfaces, const Flow& flow) {
    return all_match(rule, interfaces, flow) != rule.inverted;
}

}  // namespace nsr::routing
