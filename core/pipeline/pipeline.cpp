#include "core/pipeline/pipeline.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/local/loopback_alias.hpp"
#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::pipeline {

using routing::Decision;
using routing::Destination;

namespace {

// A link-local address is looked for on `link` alone, where that is known: several links have the
// same network, and no route leads from one to the other. kernel: rt6_need_strict
Decision route_by(const State& state, const routing::Flow& flow, IfIndex link) {
    const Decision decision = state.routes.lookup(flow);
    const IpAddress& to = flow.destination;
    const bool strict =
        to.is_v6() && to.is_link_local() && link != IfIndex::None && link != IfIndex::Loopback;
    if (!strict || decision.kind != Destination::Unicast || decision.out == link) {
        return decision;
    }
    const std::vector<Prefix>& own = state.interfaces.get(link).addresses;
    const bool on_link = std::any_of(own.begin(), own.end(), [&](const Prefix& prefix) {
        return prefix.address.is_v6() && prefix.contains(to);
    });
    return on_link ? Decision{Destination::Unicast, link, to} : Decision{};
}

}  // namespace

// --- a foreign packet: PREROUTING, then INPUT or FORWARD and POSTROUTING ------------------------

// Before anybody knows whether it is IP. kernel: IPSTATS_MIB_IN
void Pipeline::arrived(const Packet& packet) {
    const unsigned version = packet.size() != 0 ? packet.data()[0] >> 4 : 0;
    if (version == 4 || version == 6) {
        IpCounters& counted = state_.counters[index_of(version == 4 ? Family::Ipv4 : Family::Ipv6)];
        ++counted.in_receives;
        counted.in_octets += packet.size();
    }
}

// kernel: ip_rcv, ip_rcv_finish; ipv6_rcv, ip6_rcv_finish. The packet is dissected.
void Pipeline::receive(Packet& packet) {
    const Watched watched(state_.observer, packet);
    const Remembered remembered(state_.history, packet, now_);
    const Verdict verdict = prerouting(packet);
    if (verdict.accepted()) {
        gather_for_demux(packet);
        route_input(packet);
    } else {
        end(packet, verdict);
    }
}

Verdict Pipeline::prerouting(Packet& packet) {
    return run_hook<Hook::Prerouting, kPrerouting>(packet);
}

// A host asks for a socket before it routes, and reads the TCP header for that. kernel:
// tcp_v4_early_demux, tcp_v6_early_demux
void Pipeline::gather_for_demux(Packet& packet) {
    const Layout& layout = packet.layout;
    const bool behind_extensions =
        layout.family == Family::Ipv6 && layout.l4_offset != wire::ipv6::kHeaderBytes;
    if (layout.protocol == proto::kTcp && !behind_extensions) {
        packet.gather(layout.l4_offset + wire::tcp::kHeaderBytes);
    }
}

void Pipeline::refuse(Packet& packet, DropReason reason) {
    const Watched watched(state_.observer, packet);
    const Remembered remembered(state_.history, packet, now_);
    drop(packet, reason);
}

// kernel: ip_route_input_slow, ip6_route_input
void Pipeline::route_input(Packet& packet) {
    Decision decision = route_by(state_, flow_of(packet), packet.meta.in);
    if (state_.observer != nullptr) {
        state_.observer->routed(packet, decision);
    }
    if (const Verdict verdict = check_source(packet, decision); !verdict.accepted()) {
        return refuse_source(packet, verdict.reason());
    }
    if (const Verdict verdict = check_options(packet, decision); !verdict.accepted()) {
        return drop(packet, verdict.reason());
    }
    switch (decision.kind) {
        case Destination::Local:
            return deliver(packet, false);
        case Destination::Broadcast:
        case Destination::Multicast:
            return deliver(packet, true);
        case Destination::Unicast:
            return forward(packet, decision);
        default:
            return unroutable(packet, decision.kind);
    }
}

// INPUT, then the router as a host. kernel: ip_local_deliver, ip6_input
void Pipeline::deliver(Packet& packet, bool broadcast) {
    if (packet.layout.is_fragment) {  // tracking is off: a host puts datagrams together itself
        const auto whole = state_.defrag.collect(packet, defrag::Reassembler::Host, now_);
        if (!whole.accepted()) {
            return end(packet, whole);
        }
    }
    const Verdict verdict = run_hook<Hook::Input, kInput>(packet);
    if (!verdict.accepted()) {
        return drop(packet, verdict.reason());
    }
    if (ignores_echo(packet, broadcast)) {
        count_delivery(packet);
        return drop(packet, DropReason::LocalNoListener);
    }
    if (const IfIndex host = state_.interfaces.host();
        host != IfIndex::None && !claims_to_be_us(packet)) {
        ++counters(packet).in_delivers;
        packet.meta.out = host;
        local::alias_loopback(packet);
        return transmit(packet);
    }
    state_.history.delivered(packet);
    if (state_.observer != nullptr) {
        state_.observer->delivered(packet);
    }
    local::Response response = local::respond(packet, broadcast, self_now());
    if (response.refused != DropReason::LocalNoProtocol) {
        count_delivery(packet);
        packet.meta.conn = ConnId::None;  // kernel: nf_reset_ct before a protocol gets it
        packet.meta.ct_info = CtInfo::Invalid;
    }
    if (response.error) {
        send_error(packet, *response.error);
    }
    if (response.answer && is_anycast(packet)) {
        answer_for_anycast(packet, response);
    }
    if (response.answer) {
        response.answer->meta.cause = packet.meta.cause;
        response.answer->meta.out = packet.meta.in;
        send_local(std::move(*response.answer));
    }
    if (response.refused) {
        drop(packet, *response.refused);
    }
}

// kernel: icmp_echo, icmp_rcv, icmpv6_rcv, icmpv6_echo_reply
bool Pipeline::ignores_echo(const Packet& packet, bool broadcast) const {
    const ForwardingSettings& settings = state_.forwarding;
    const Layout& layout = packet.layout;
    if (!proto::is_icmp(layout.protocol) || packet.l4().empty()) {
        return false;
    }
    const std::uint8_t type = packet.l4()[wire::icmp::kTypeOffset];
    if (layout.family == Family::Ipv4) {
        const bool echo = type == wire::icmp::kEcho;
        return (echo && settings.icmp_echo_ignore_all != 0) ||
               (broadcast && settings.icmp_echo_ignore_broadcasts != 0 &&
                (echo || type == wire::icmp::kTimestamp));
    }
    return type == wire::icmpv6::kEchoRequest &&
           (settings.ipv6_echo_ignore_all != 0 ||
            (broadcast && settings.ipv6_echo_ignore_multicast != 0) ||
            (settings.ipv6_echo_ignore_anycast != 0 && is_anycast(packet)));
}

// It came by a link with an address of the router's own as its source, and NAT has not given it
// that one. A host would answer it to itself, by a `lo` of its own, where tracking cannot see that
// the connection is over.
bool Pipeline::claims_to_be_us(const Packet& packet) const {
    return packet.meta.in != IfIndex::Loopback && state_.interfaces.is_own(packet.layout.source) &&
           direction_of(packet.meta.ct_info) == Direction::Original;
}

bool Pipeline::is_anycast(const Packet& packet) const {
    const IpAddress& destination = packet.layout.destination;
    return destination.is_v6() && !state_.interfaces.is_own(destination) &&
           state_.routes.lookup(destination).kind == Destination::Local;
}

// An echo is answered from an address of the router's own, TCP not at all. kernel:
// icmpv6_echo_reply, tcp_v6_send_reset
void Pipeline::answer_for_anycast(const Packet& packet, local::Response& response) {
    if (packet.layout.protocol == proto::kTcp) {
        response.answer.reset();
    } else {
        rewrite::set_source(*response.answer, IpAddress{{}, Family::Ipv6});
    }
}

// TTL and MTU are judged and the TTL is taken before FORWARD sees the packet. kernel: ip_forward,
// ip6_forward
void Pipeline::forward(Packet& packet, Decision& decision) {
    const OnTheWay way(state_.network, decision);
    packet.meta.out = decision.out;
    if (const Verdict verdict = may_forward(packet, decision); !verdict.accepted()) {
        return drop(packet, verdict.reason());
    }
    rewrite::decrement_ttl(packet);
    redirect(packet, decision);
    const Verdict verdict = run_hook<Hook::Forward, kForward>(packet);
    if (!verdict.accepted()) {
        return drop(packet, verdict.reason());
    }
    stamp_options(packet, decision);
    postroute(packet);
}

// POSTROUTING, then the wire. kernel: ip_output, ip6_output
void Pipeline::postroute(Packet& packet) {
    const Verdict verdict = run_hook<Hook::Postrouting, kPostrouting>(packet);
    if (!verdict.accepted()) {
        return drop(packet, verdict.reason());
    }
    finish_output(packet);
}

// --- a packet of the router's own: OUTPUT, then POSTROUTING -------------------------------------

// From a process in the [host] namespace; it has its source address. kernel: ip_local_out
void Pipeline::originate(Packet& packet) {
    packet.meta.locally_generated = true;
    packet.meta.host_interface = std::exchange(packet.meta.in, IfIndex::None);
    const Watched watched(state_.observer, packet);
    const Remembered remembered(state_.history, packet, now_);
    if (packet.layout.destination.is_multicast()) {
        state_.groups.learn(packet);
    }
    Decision decision = state_.routes.lookup(flow_of(packet));
    send_out(packet, decision);
}

// It has been routed; OUTPUT may route it anew.
void Pipeline::send_out(Packet& packet, Decision& decision) {
    if (state_.observer != nullptr) {
        state_.observer->routed(packet, decision);
    }
    packet.meta.out = way_out(packet, decision);
    if (packet.meta.out == IfIndex::None) {
        return drop(packet, DropReason::NoRoute);
    }
    const OnTheWay way(state_.network, decision);
    count_request(packet);
    const Verdict verdict = run_hook<Hook::Output, kOutput>(packet);
    if (!verdict.accepted()) {
        return end(packet, verdict);
    }
    packet.meta.out = way_out(packet, decision);  // kernel: nf_hook_state has the old one
    if (packet.meta.out == IfIndex::Loopback) {
        return loop_back(packet);
    }
    postroute(packet);
}

// From the router to itself: out and in again, its route and its connection already known. kernel:
// loopback_xmit
void Pipeline::loop_back(Packet& packet) {
    Verdict verdict = run_hook<Hook::Postrouting, kPostrouting>(packet);
    if (verdict.accepted()) {
        count_transmit(packet);
        arrived(packet);
        packet.meta.in = std::exchange(packet.meta.out, IfIndex::None);
        packet.meta.locally_generated = false;
        if (packet.meta.ct_info == CtInfo::Invalid) {
            packet.meta.track_again();
        }
        verdict = prerouting(packet);
    }
    if (verdict.accepted()) {
        deliver(packet, false);
    } else {
        end(packet, verdict);
    }
}

// An answer or error of the built-in host: give it a route and, if it has none yet, a source
// address. meta.out is the link that its cause came by. What would go to a whole network stays
// here. differs: broadcast-source-unanswered
void Pipeline::send_local(Packet packet) {
    packet.meta.in = IfIndex::None;
    packet.meta.locally_generated = true;
    Decision decision = route_by(state_, flow_of(packet), packet.meta.out);
    if (decision.kind == Destination::Local && packet.layout.source.is_unspecified()) {
        rewrite::set_source(packet, packet.layout.destination);
    } else if (!leads_somewhere(decision)) {
        return refuse(packet, DropReason::NoRoute);
    }
    if (packet.layout.source.is_unspecified()) {
        // kernel: fib_info_update_nhc_saddr asks for the gateway's network, ipv6_dev_get_saddr not
        const bool v4 = packet.layout.family == Family::Ipv4;
        const bool wished = decision.source.family != Family::None;
        const auto source =
            wished ? std::optional(decision.source)
                   : state_.interfaces.source_for(
                         decision.out, v4 ? decision.next_hop : packet.layout.destination);
        if (!source) {
            return refuse(packet, DropReason::NoRoute);
        }
        rewrite::set_source(packet, *source);
    }
    // kernel: __mkroute_output
    if (packet.layout.family == Family::Ipv4 && packet.layout.source.is_loopback() &&
        decision.kind == Destination::Unicast &&
        !state_.forwarding.route_localnet.either(decision.out)) {
        return refuse(packet, DropReason::NoRoute);
    }
    if (packet.layout.family == Family::Ipv4 &&
        packet.layout.ttl != state_.forwarding.ip_default_ttl) {
        rewrite::set_ttl(packet, static_cast<std::uint8_t>(state_.forwarding.ip_default_ttl));
    }
    const Watched watched(state_.observer, packet);
    const Remembered remembered(state_.history, packet, now_);
    send_out(packet, decision);
}

// --- counting -----------------------------------------------------------------------------------

// kernel: IPSTATS_MIB_INDELIVERS, icmp_rcv
void Pipeline::count_delivery(const Packet& packet) {
    IpCounters& counted = counters(packet);
    ++counted.in_delivers;
    if (proto::is_icmp(packet.layout.protocol) && !packet.l4().empty()) {
        ++counted.icmp_in[packet.l4()[wire::icmp::kTypeOffset]];
    }
}

// kernel: __ip_local_out, icmp_out_count
void Pipeline::count_request(const Packet& packet) {
    IpCounters& counted = counters(packet);
    ++counted.out_requests;
    const bool of_a_process = packet.meta.host_interface != IfIndex::None;
    if (proto::is_icmp(packet.layout.protocol) && !of_a_process && !packet.l4().empty()) {
        ++counted.icmp_out[packet.l4()[wire::icmp::kTypeOffset]];
    }
}

void Pipeline::drop(Packet& packet, DropReason reason) {
    state_.drops.add(packet.layout.family, reason);
    const Meta& meta = packet.meta;
    const DropPlace place = {.reason = reason,
                             .family = packet.layout.family,
                             .in = meta.in == IfIndex::None ? meta.host_interface : meta.in,
                             .in_hook = stopped_.in_hook,
                             .hook = stopped_.hook,
                             .stage = stopped_.stage,
                             .rule = stopped_.rule};
    stopped_ = {};
    state_.places.add(place);
    const bool turned = place.in_hook && belongs_to_known(packet) &&
                        state_.refused_connections.add(packet.meta.conn,
                                                       state_.conntrack.table()[packet.meta.conn]);
    state_.recorder.dropped(packet, place, state_.conntrack,
                            turned ? Record::Change::NowDropped : Record::Change::None, now_);
    state_.history.dropped(packet, place);
    if (reason == DropReason::NoRoute && packet.meta.locally_generated) {
        ++counters(packet).out_no_routes;
    }
    if (state_.observer != nullptr) {
        state_.observer->dropped(packet, reason);
    }
    state_.conntrack.release(packet);
}

// It was not accepted; one that was stolen is not dropped.
void Pipeline::end(Packet& packet, Verdict verdict) {
    if (verdict.dropped()) {
        drop(packet, verdict.reason());
    } else {
        state_.history.kept(packet);
    }
}

}  // namespace nsr::pipeline
