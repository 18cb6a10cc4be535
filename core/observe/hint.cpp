#include "core/observe/hint.hpp"

#include <array>
#include <string_view>

#include "core/observe/observation.hpp"

namespace nsr::observe {
namespace {

struct Row {
    DropReason reason;
    std::string_view hint;
};

// {state}: "NEW packets from lan to wan"; {interface}, {in}, {rule}, {chain}, {sysctl}: see
// filled().
constexpr std::array<Row, kDropReasonCount> kHints = {{
    {DropReason::TooShort, "nothing: its sender, or what it crossed, cut it off"},
    {DropReason::BadVersion, "nothing: it is no IP packet"},
    {DropReason::BadHeaderLength, "nothing: its header is broken"},
    {DropReason::BadTotalLength, "nothing: its sender, or what it crossed, cut it off"},
    {DropReason::BadHeaderChecksum, "a right IPv4 header checksum"},
    {DropReason::BadOption, "well-formed IPv4 options, or none"},
    {DropReason::BadExtensionHeader, "well-formed extension headers"},
    {DropReason::BadOffload, "offload = \"off\" for interface {in}"},
    {DropReason::SourceRouted, "no source route: those are not followed"},
    {DropReason::MartianSource,
     "a source address that a sender can have; for the router's own "
     "net.ipv4.conf.{in}.accept_local=1, for 127.0.0.0/8 route_localnet=1 as well"},
    {DropReason::MartianDestination,
     "a destination that can be reached; for 127.0.0.0/8 "
     "net.ipv4.conf.{in}.route_localnet=1"},
    {DropReason::ReversePathFilter,
     "a route back to its source through {in}; or net.ipv4.conf.{in}.rp_filter=2, which is content "
     "with a route through any link"},
    {DropReason::ForwardingDisabled, "{forwarding}=1"},
    {DropReason::NoRoute, "a route to its destination (nsrouter ip route add ...)"},
    {DropReason::RouteBlackhole,
     "a route to its destination that is no blackhole, and longer or of a lower metric"},
    {DropReason::RouteProhibited,
     "a route to its destination that does not say prohibit, and is longer or of a lower metric"},
    {DropReason::RouteUnreachable,
     "a route to its destination that does not say unreachable, and is longer or of a lower "
     "metric"},
    {DropReason::NotForwardable,
     "a destination that is forwarded: not multicast, broadcast or link-local"},
    {DropReason::TtlExpired,
     "a larger TTL from its sender, or a -j TTL --ttl-inc rule in mangle PREROUTING; if it comes "
     "again and again: no loop of routes"},
    {DropReason::TooBig,
     "a sender that gets the ICMP error about it and heeds that; smaller packets (-j TCPMSS "
     "--clamp-mss-to-pmtu for TCP), or a larger MTU of {out}"},
    {DropReason::InterfaceDown, "{interface}"},
    {DropReason::FragmentMalformed, "well-formed fragments"},
    {DropReason::FragmentOverlap, "fragments that do not overlap"},
    {DropReason::FragmentDuplicate,
     "nothing: its bytes are there already, and its datagram goes on"},
    {DropReason::FragmentTimeout, "the rest of the datagram in time, or a larger {fragtime}"},
    {DropReason::FragmentTooLarge, "a datagram of at most 65535 bytes"},
    {DropReason::FragmentMemory, "a larger {fragmemory}"},
    {DropReason::FragmentEcn, "fragments with ECN marks that go together"},
    {DropReason::ShardQueueFull, "less traffic that comes to another shard than its own"},
    {DropReason::TableFull, "a larger net.netfilter.nf_conntrack_max, or shorter timeouts"},
    {DropReason::TrackingFailed, "more memory, or a smaller net.netfilter.nf_conntrack_max"},
    {DropReason::ConfirmClash, "more addresses or ports in the range of the NAT rule"},
    {DropReason::NatUntranslatable,
     "a packet whose headers are whole, so that it can be rewritten"},
    {DropReason::NatRefused, "a NAT rule with another --profile"},
    {DropReason::NatFiltered,
     "a packet from inside to this sender first, or a NAT rule with --filtering "
     "endpoint-independent"},
    {DropReason::NatSessionLimit,
     "a larger --session-limit of the NAT rule, or fewer connections of this host"},
    {DropReason::NatPortsUsedUp, "more ports or addresses for the NAT rule"},
    {DropReason::HelperRefused,
     "its command whole in one packet, and room for what it announces "
     "(net.netfilter.nf_conntrack_expect_max)"},
    {DropReason::RuleDrop, "a rule before {rule} in {chain} that accepts {state}"},
    {DropReason::PolicyDrop, "a rule in {chain} that accepts {state}, or the policy ACCEPT"},
    {DropReason::RuleReject, "a rule before {rule} in {chain} that accepts {state}"},
    {DropReason::AwaitsRecheck, "a packet of the other direction first, which the rules accept"},
    {DropReason::RulesExhausted, "fewer jumps and rules on its way through the table"},
    {DropReason::LocalMalformed, "well-formed headers"},
    {DropReason::LocalNoListener,
     "a service that listens there; the router itself has none without [host]. Echo requests are "
     "answered where {echo} is 0"},
    {DropReason::LocalNoProtocol,
     "a protocol that the router speaks as a host, or a [host] namespace"},
    {DropReason::EgressQueueFull, "less traffic, or a longer queue of {out}"},
    {DropReason::EgressFailed, "a device of {out} that takes packets"},
}};
constexpr bool hints_are_in_enum_order() {
    for (std::size_t i = 0; i < kHints.size(); ++i) {
        if (static_cast<std::size_t>(kHints[i].reason) != i || kHints[i].hint.empty()) {
            return false;
        }
    }
    return true;
}
static_assert(hints_are_in_enum_order());

// The words of InvalidNote::why that decide.
struct InvalidRow {
    std::string_view why;
    std::string_view hint;
};
constexpr std::array kInvalidHints = {
    InvalidRow{"over the window of the receiver", "net.netfilter.nf_conntrack_tcp_be_liberal=1"},
    InvalidRow{"ACKed data not seen yet",
               "net.netfilter.nf_conntrack_tcp_be_liberal=1, or a way by which the router sees "
               "both directions"},
    InvalidRow{"begins no connection",
               "its SYN first, or net.netfilter.nf_conntrack_tcp_loose=1 to take up connections in "
               "the middle"},
    InvalidRow{"invalid rst", "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=1"},
    InvalidRow{
        "invalid new",
        "a SYN first: what answers or ends a connection begins none; the router has not seen "
        "its beginning, or has forgotten it (conntrack -F, timeouts)"},
    InvalidRow{"checksum", "a right checksum, or net.netfilter.nf_conntrack_checksum=0"},
    InvalidRow{"csum", "a right checksum, or net.netfilter.nf_conntrack_checksum=0"},
    InvalidRow{"flag combination", "TCP flags that go together"},
    InvalidRow{"quotes is of no connection",
               "a connection that has the quoted packet: it is over, or was never here"},
    InvalidRow{"!= inner",
               "an error sent to the end of the connection that sent the quoted packet"},
    InvalidRow{"state", "a segment that fits the state of its connection"},
    InvalidRow{"truncated", "a whole transport header"},
    InvalidRow{"cut short", "a whole transport header"},
    InvalidRow{"short", "a whole transport header"},
};

void replace(std::string& text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    if (at != std::string::npos) {
        text.replace(at, what.size(), with);
        replace(text, what, with);
    }
}

// "NEW packets from lan to wan"
std::string subject(const HintContext& context) {
    std::string text = context.tracked ? std::string(name_of(context.info)) : std::string("these");
    text += " packets";
    const bool from_here = context.in.empty();
    text += from_here ? std::string(" of the router itself") : " from " + context.in;
    const bool has_way = context.hook == Hook::Forward || context.hook == Hook::Postrouting ||
                         context.hook == Hook::Output;
    return has_way && !context.out.empty() ? text + " to " + context.out : text;
}

std::string filled(std::string_view hint, const HintContext& context) {
    const bool v4 = context.family != Family::Ipv6;
    std::string text(hint);
    replace(text, "{forwarding}",
            v4 ? "net.ipv4.conf.{in}.forwarding" : "net.ipv6.conf.all.forwarding");
    replace(text, "{interface}",
            context.out.empty() && !v4 ? "net.ipv6.conf.{in}.disable_ipv6=0"
                                       : "nsrouter ip link set {out} up");
    replace(text, "{echo}", v4 ? "net.ipv4.icmp_echo_ignore_all" : "net.ipv6.icmp.echo_ignore_all");
    replace(text, "{state}", subject(context));
    replace(text, "{in}", context.in.empty() ? "INTERFACE" : context.in);
    replace(text, "{out}", context.out.empty() ? "INTERFACE" : context.out);
    const bool has_place = context.rule.find(':') != std::string::npos;  // else "by command"
    replace(text, "{rule}", has_place ? context.rule : "that");
    const bool by_rule =
        context.reason == DropReason::RuleDrop || context.reason == DropReason::RuleReject;
    const bool known = by_rule && !context.chain.empty();
    replace(text, "{chain}", known ? std::string_view(context.chain) : name_of(context.hook));
    replace(text, "{fragtime}",
            v4 ? "net.ipv4.ipfrag_time" : "net.netfilter.nf_conntrack_frag6_timeout");
    replace(text, "{fragmemory}",
            v4 ? "net.ipv4.ipfrag_high_thresh" : "net.netfilter.nf_conntrack_frag6_high_thresh");
    return text;
}

bool by_rules(DropReason reason) {
    return reason == DropReason::RuleDrop || reason == DropReason::PolicyDrop ||
           reason == DropReason::RuleReject;
}

}  // namespace

std::string hint(const HintContext& context) {
    std::string text;
    if (by_rules(context.reason) && context.tracked && context.info == CtInfo::Invalid) {
        text = hint_for_invalid(context) + "; else ";
    }
    return text + filled(kHints[static_cast<std::size_t>(context.reason)].hint, context);
}

std::string hint_for_invalid(const HintContext& context) {
    for (const InvalidRow& row : kInvalidHints) {
        if (context.why_invalid.find(row.why) != std::string::npos) {
            return std::string(row.hint);
        }
    }
    return "a packet that its protocol allows here";
}

}  // namespace nsr::observe
