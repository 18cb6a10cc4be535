// Where forwarding ends: martians, missing routes, limits, and the errors the router sends about
// them.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "core/packet/dissect.hpp"
#include "core/packet/segment.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr::pipeline {

using local::IcmpError;
using routing::Decision;
using routing::Destination;
namespace icmp = wire::icmp;
namespace icmpv6 = wire::icmpv6;

namespace {

constexpr IpAddress kLocalhost = IpAddress::v4(127, 0, 0, 1);  // that lo has
constexpr IpAddress kAllHosts = IpAddress::v4(224, 0, 0, 1);
constexpr IpAddress kAllNodes = IpAddress::v6(0xff020000, 0, 0, 1);
// Of the interface, the link and the site.
constexpr std::array<IpAddress, 3> kAllRouters = {IpAddress::v6(0xff010000, 0, 0, 2),
                                                  IpAddress::v6(0xff020000, 0, 0, 2),
                                                  IpAddress::v6(0xff050000, 0, 0, 2)};

bool is_all_routers(const IpAddress& group) {
    return std::find(kAllRouters.begin(), kAllRouters.end(), group) != kAllRouters.end();
}

// Path MTU discovery must not starve. kernel: icmpv4_mask_allow (icmp_ratemask 6168),
// icmpv6_mask_allow (net.ipv6.icmp.ratemask 0-1,3-127)
bool is_rate_limited(Family family, const IcmpError& error) {
    if (family == Family::Ipv6) {
        return error.type != icmpv6::kPacketTooBig;
    }
    const bool needs_fragmentation =
        error.type == icmp::kDestinationUnreachable && error.code == icmp::kFragmentationNeeded;
    return error.type != icmp::kRedirect && !needs_fragmentation;
}

// Of these no error is told: the one socket they leave by is taken. kernel: icmp_xmit_lock
bool is_own_icmp(const Packet& packet) {
    const bool of_a_process = packet.meta.host_interface != IfIndex::None;
    return packet.meta.locally_generated && !of_a_process && proto::is_icmp(packet.layout.protocol);
}

constexpr IcmpError unreachable(std::uint8_t code) {
    return {icmp::kDestinationUnreachable, code};
}
constexpr IcmpError unreachable6(std::uint8_t code) {
    return {icmpv6::kDestinationUnreachable, code};
}

// What REJECT sends.
struct Rejection {
    rules::RejectWith with;
    IcmpError error;
};
using enum rules::RejectWith;
constexpr std::array<Rejection, 16> kRejections = {{
    {NetUnreachable, unreachable(icmp::kNetUnreachable)},
    {HostUnreachable, unreachable(icmp::kHostUnreachable)},
    {ProtocolUnreachable, unreachable(icmp::kProtocolUnreachable)},
    {PortUnreachable, unreachable(icmp::kPortUnreachable)},
    {NetProhibited, unreachable(icmp::kNetProhibited)},
    {HostProhibited, unreachable(icmp::kHostProhibited)},
    {AdminProhibited, unreachable(icmp::kAdminProhibited)},
    {TcpReset, {}},  // no ICMP error
    {NoRoute6, unreachable6(icmpv6::kNoRoute)},
    {AdminProhibited6, unreachable6(icmpv6::kAdminProhibited)},
    {AddressUnreachable6, unreachable6(icmpv6::kAddressUnreachable)},
    {PortUnreachable6, unreachable6(icmpv6::kPortUnreachable)},
    {PolicyFail6, unreachable6(icmpv6::kPolicyFailed)},
    {RejectRoute6, unreachable6(icmpv6::kRouteRejected)},
    {SourceProblem6,
     {icmpv6::kParameterProblem, icmpv6::kErroneousHeader, wire::ipv6::kSourceOffset}},
    {DestinationProblem6,
     {icmpv6::kParameterProblem, icmpv6::kErroneousHeader, wire::ipv6::kDestinationOffset}},
}};
constexpr bool rejections_are_in_enum_order() {
    for (std::size_t i = 0; i < kRejections.size(); ++i) {
        if (static_cast<std::size_t>(kRejections[i].with) != i) {
            return false;
        }
    }
    return true;
}
static_assert(rejections_are_in_enum_order());

}  // namespace

// Can this packet have come from where it says? kernel: ip_route_input_slow, fib_validate_source,
// ip_rcv_options
Verdict Pipeline::check_source(const Packet& packet, const Decision& decision) const {
    const bool v4 = packet.layout.family == Family::Ipv4;
    const bool multicast = decision.kind == Destination::Multicast;
    const IpAddress& group = packet.layout.destination;
    if (multicast && group != (v4 ? kAllHosts : kAllNodes) && !state_.groups.joined(group) &&
        !(is_all_routers(group) && state_.forwarding.ipv6_forwarding.of(packet.meta.in) != 0)) {
        return Verdict::drop(DropReason::NotForwardable);  // a group that the router has not joined
    }
    if (!v4) {
        return Verdict::accept();
    }
    if (const Verdict verdict = check_addresses(packet); !verdict.accepted()) {
        return verdict;
    }
    const IpAddress& source = packet.layout.source;
    const bool judged = decision.kind == Destination::Unicast ||
                        decision.kind == Destination::Local ||
                        decision.kind == Destination::Broadcast || multicast;
    if (judged && !source.is_unspecified()) {
        return check_reverse_path(packet, decision);
    }
    return Verdict::accept();
}

// With rules of an administrator's, these say whose address the source is. kernel:
// fib_validate_source
Verdict Pipeline::check_reverse_path(const Packet& packet, const Decision& decision) const {
    const IfIndex in = packet.meta.in;
    const IpAddress& source = packet.layout.source;
    const std::uint32_t rp_filter = state_.forwarding.rp_filter.larger(in);
    const bool custom = state_.routes.has_custom_rules(Family::Ipv4);
    const bool may_be_own = state_.forwarding.accept_local.either(in);
    const bool own_address = state_.routes.is_own_ipv4(source) || source == kLocalhost;
    if (!custom && !may_be_own && own_address) {
        return Verdict::drop(DropReason::MartianSource);
    }
    if (rp_filter == 0 && (!custom || may_be_own)) {
        return Verdict::accept();
    }
    const routing::Flow flow = flow_back(packet, decision);
    const Decision back = state_.routes.lookup(flow);
    const bool own = back.kind == Destination::Local && may_be_own;
    const bool not_a_hosts =
        !own && (back.kind == Destination::Local || back.kind == Destination::Broadcast ||
                 back.kind == Destination::Multicast);
    if (custom && not_a_hosts) {
        return Verdict::drop(DropReason::MartianSource);
    }
    const bool leads_back =
        own ? state_.interfaces.owner_of(source) == in : state_.routes.leads_through(flow, in);
    const bool known = own || back.kind == Destination::Unicast;
    const bool refused = rp_filter != 0 && (!known || (rp_filter == 1 && !leads_back));
    return refused ? Verdict::drop(DropReason::ReversePathFilter) : Verdict::accept();
}

// kernel: ip6_parse_tlv
void Pipeline::malformed(Packet& packet, DropReason reason) {
    const Watched watched(state_.observer, packet);
    const Remembered remembered(state_.history, packet, now_);
    if (reason == DropReason::BadExtensionHeader && packet.layout.problem_pointer != 0) {
        send_error(packet, {icmpv6::kParameterProblem, packet.layout.problem_code,
                            packet.layout.problem_pointer});
    }
    drop(packet, reason);
}

// kernel: ip_forward, ip6_forward, up to the hook
Verdict Pipeline::may_forward(Packet& packet, const Decision& decision) {
    const bool v4 = packet.layout.family == Family::Ipv4;
    const ForwardingSettings& settings = state_.forwarding;
    if ((v4 ? settings.ipv4_forwarding.of(packet.meta.in) : settings.ipv6_forwarding.all) == 0) {
        return Verdict::drop(DropReason::ForwardingDisabled);
    }
    if (packet.layout.ttl <= 1) {
        send_error(packet, v4 ? IcmpError{icmp::kTimeExceeded, icmp::kTtlExceeded}
                              : IcmpError{icmpv6::kTimeExceeded, icmpv6::kHopLimitExceeded});
        return Verdict::drop(DropReason::TtlExpired);
    }
    if (!v4 && (packet.layout.source.is_unspecified() || packet.layout.source.is_loopback())) {
        return Verdict::drop(DropReason::MartianSource);
    }
    if (!v4 && packet.layout.source.is_link_local() && decision.out != packet.meta.in) {
        send_error(packet, {icmpv6::kDestinationUnreachable, icmpv6::kBeyondScope});
        return Verdict::drop(DropReason::NotForwardable);
    }
    ++counters(packet).forw_datagrams;
    const std::uint32_t mtu = mtu_of(packet, decision);
    const std::uint32_t largest =
        packet.fragments ? packet.fragments->max_size : wire_length(packet);
    const bool must_not_fragment = !v4 || packet.layout.dont_fragment;
    if (packet.size() > mtu && must_not_fragment && largest > mtu) {
        send_error(
            packet,
            v4 ? IcmpError{icmp::kDestinationUnreachable, icmp::kFragmentationNeeded, mtu}
               : IcmpError{icmpv6::kPacketTooBig, 0, std::max(mtu, wire::ipv6::kMinimumMtu)});
        return Verdict::drop(DropReason::TooBig);
    }
    return Verdict::accept();
}

// kernel: ip_error, ip6_pkt_discard, ip6_pkt_prohibit
void Pipeline::unroutable(Packet& packet, Destination kind) {
    struct Row {
        Destination kind;
        DropReason reason;
        IcmpError v4;
        IcmpError v6;
    };
    static constexpr std::array<Row, 3> kRows = {{
        {Destination::None, DropReason::NoRoute, unreachable(icmp::kNetUnreachable),
         unreachable6(icmpv6::kNoRoute)},
        {Destination::Unreachable, DropReason::RouteUnreachable,
         unreachable(icmp::kHostUnreachable), unreachable6(icmpv6::kNoRoute)},
        {Destination::Prohibit, DropReason::RouteProhibited, unreachable(icmp::kAdminProhibited),
         unreachable6(icmpv6::kAdminProhibited)},
    }};
    if (kind == Destination::Blackhole) {
        return drop(packet, DropReason::RouteBlackhole);
    }
    const bool v4 = packet.layout.family == Family::Ipv4;
    if (v4 && state_.forwarding.ipv4_forwarding.of(packet.meta.in) == 0) {
        return drop(packet, DropReason::ForwardingDisabled);
    }
    const bool told = !v4 || state_.icmp_limit.allow_unroutable(packet.layout.source, now_);
    for (const Row& row : kRows) {
        if (row.kind == kind && !told) {
            return drop(packet, row.reason);
        }
        if (row.kind == kind) {
            send_error(packet, v4 ? row.v4 : row.v6);
            return drop(packet, row.reason);
        }
    }
}

// The packet leaves where it came from: its sender could have gone directly. kernel:
// __mkroute_input, ip_rt_send_redirect
void Pipeline::redirect(const Packet& packet, const Decision& decision) {
    if (packet.layout.family != Family::Ipv4 || decision.out != packet.meta.in ||
        !state_.forwarding.send_redirects.either(decision.out)) {
        return;
    }
    const Decision back = state_.routes.lookup(packet.layout.source);
    const bool sender_on_link = back.kind == Destination::Unicast && back.out == packet.meta.in &&
                                back.next_hop == packet.layout.source;
    if (sender_on_link && state_.icmp_limit.allow_redirect(packet.layout.source, now_)) {
        send_error(packet, {icmp::kRedirect, icmp::kRedirectHost, decision.next_hop.as_v4()});
    }
}

// kernel: __icmp_send, icmp6_send
void Pipeline::send_error(const Packet& about, IcmpError error) {
    if (is_own_icmp(about) || is_broadcast(about) || !local::may_report(about, error) ||
        (is_rate_limited(about.layout.family, error) && !within_rate(about))) {
        return;
    }
    error.longest = longest_error(about);
    std::optional<Packet> packet =
        local::icmp_error(about, error, source_of_error(about), self_now());
    if (!packet) {
        return;
    }
    state_.conntrack.attach(*packet, about);
    packet->meta.cause = about.meta.cause;
    packet->meta.out = about.meta.in;
    send_local(std::move(*packet));
}

// Its route says so: the address alone does not tell that it is a subnet's. kernel: RTCF_BROADCAST
bool Pipeline::is_broadcast(const Packet& about) const {
    return state_.routes.lookup(about.layout.destination).kind == Destination::Broadcast;
}

// An error over IPv4 fits the link it leaves by. kernel: __icmp_send
std::uint32_t Pipeline::longest_error(const Packet& about) const {
    const Decision back = state_.routes.lookup(about.layout.source);
    if (about.layout.family != Family::Ipv4 || back.kind != Destination::Unicast) {
        return std::numeric_limits<std::uint32_t>::max();
    }
    return state_.network.mtu_of(back);
}

// Who it was sent to, if that is the router. Else IPv4 takes an address of the link the error
// leaves by, found when it is sent, and IPv6 one of the link the packet came in by. kernel:
// icmp_route_lookup, icmp6_send
IpAddress Pipeline::source_of_error(const Packet& about) const {
    const Layout& layout = about.layout;
    if (state_.interfaces.is_own(layout.destination) || is_anycast(about)) {
        return layout.destination;
    }
    const IpAddress unspecified{{}, layout.family};
    const IfIndex in = about.meta.in;
    if (layout.has_ipv4_options) {  // they will have it, too
        return source_towards(layout.source).value_or(unspecified);
    }
    if (layout.family == Family::Ipv4 || in == IfIndex::None || in == IfIndex::Loopback) {
        return unspecified;
    }
    const routing::Flow flow{.destination = layout.source, .protocol = proto::kIcmpv6};
    const Decision back = state_.routes.lookup(flow);  // kernel: ip6_route_get_saddr
    return back.source.family != Family::None
               ? back.source
               : state_.interfaces.source_for(in, layout.source).value_or(unspecified);
}

bool Pipeline::within_rate(const Packet& about) {
    const ForwardingSettings& settings = state_.forwarding;
    const bool v4 = about.layout.family == Family::Ipv4;
    // kernel: icmpv4_xrlim_allow, icmpv6_xrlim_allow: no limit on loopback
    const bool to_itself = state_.interfaces.is_own(about.layout.source);
    const std::uint32_t per_peer = v4 ? settings.icmp_ratelimit : settings.ipv6_icmp_ratelimit;
    const IcmpLimit::Rates rates = {to_itself ? 0 : per_peer, settings.icmp_msgs_per_sec};
    return state_.icmp_limit.allow_error(about.layout.source, rates, now_, state_.random);
}

// kernel: nf_send_reset, nf_send_unreach and their IPv6 twins
void Pipeline::send_reject(const Packet& about, rules::RejectWith with) {
    if (with == TcpReset) {
        if (is_broadcast(about)) {
            return;
        }
        if (std::optional<Packet> reset = local::tcp_reset(about)) {
            state_.conntrack.attach(*reset, about);
            state_.conntrack.set_closing(about, now_);
            reset->meta.cause = about.meta.cause;
            reset->meta.out = about.meta.in;
            send_local(std::move(*reset));
        }
        return;
    }
    if (local::may_reject(about)) {
        send_error(about, kRejections[static_cast<std::size_t>(with)].error);
    }
}

// kernel: ip_expire (only a host answers for IPv4), ip6frag_expire_frag_queue
void Pipeline::reassembly_timed_out(Packet first) {
    const bool v4 = first.layout.family == Family::Ipv4;
    const bool local = state_.routes.lookup(first.layout.destination).kind == Destination::Local;
    first.meta.cause = kTimerCause;
    first.layout.has_ipv4_options = false;  // nobody has read them, so nobody repeats them
    if (!v4 || local) {
        send_error(first, v4 ? IcmpError{icmp::kTimeExceeded, icmp::kReassemblyTimeExceeded}
                             : IcmpError{icmpv6::kTimeExceeded, icmpv6::kReassemblyTimeExceeded});
    }
}

}  // namespace nsr::pipeline
