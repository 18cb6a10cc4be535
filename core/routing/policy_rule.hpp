// One rule of `ip rule`: which packets it means, and which table they ask. kernel: fib_rule,
// fib4_rule, fib6_rule
#pragma once

#include <cstdint>
#include <string>

#include "core/routing/flow.hpp"
#include "core/routing/route.hpp"

namespace nsr::routing {

// Blackhole, Prohibit and Unreachable end the search; Goto goes on with the rule of another
// priority, Nop with the next one.
enum class RuleAction : std::uint8_t { Table, Goto, Nop, Blackhole, Prohibit, Unreachable };

struct PortRange {
    Port first = 0;
    Port last = 0;  // 0: any port
    friend bool operator==(const PortRange&, const PortRange&) = default;
};

// What is zero or empty asks for nothing.
struct PolicyRule {
    Family family = Family::Ipv4;
    std::uint32_t priority = 0;  // the lowest is asked first
    RuleAction action = RuleAction::Table;
    std::uint32_t table = 0;   // valid iff Table
    std::uint32_t target = 0;  // valid iff Goto: a higher priority
    bool inverted = false;     // for packets that do not match
    Prefix from;               // length 0: any
    Prefix to;
    Mark mark = 0;  // (packet's ^ mark) & mask is zero
    Mark mark_mask = 0;
    std::string in;  // "lo": packets that begin here
    std::string out;
    std::uint8_t tos = 0;
    std::uint8_t protocol = 0;
    PortRange source_ports;
    PortRange destination_ports;
    // An answer whose prefix is this short or shorter does not count; -1: every one does.
    int suppress_prefixlength = -1;
    friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};

// The names of a rule as the interfaces that they mean.
struct RuleInterfaces {
    IfIndex in = IfIndex::None;
    IfIndex out = IfIndex::None;
};

[[nodiscard]] bool matches(const PolicyRule& rule, const RuleInterfaces& interfaces,
                           const Flow& flow);

// The bits of TOS by which IPv4 routes, and those by which IPv6 does. kernel: RT_TOS, ip6_dscp
constexpr std::uint8_t routed_tos(Family family, std::uint8_t tos) {
    return tos & (family == Family::Ipv4 ? 0x1c : 0xfc);
}

}  // namespace nsr::routing
