// The way of a packet: what is asked of the routes, and what is routed anew.
#include "core/pipeline/flow_keys.hpp"
#include "core/pipeline/pipeline.hpp"

namespace nsr::pipeline {

using routing::Decision;
using routing::Destination;
using routing::Flow;

// kernel: ip_route_input_slow, ip6_route_input; ip_route_output_key
Flow Pipeline::flow_of(const Packet& packet) const {
    const Layout& layout = packet.layout;
    Flow flow;
    flow.destination = layout.destination;
    flow.source = layout.source;
    flow.mark = packet.meta.mark;
    flow.in = packet.meta.locally_generated ? IfIndex::Loopback : packet.meta.in;
    flow.tos = layout.tos;
    flow.protocol = layout.protocol;
    if (state_.routes.reads_ports(layout.family)) {
        const Ports ports = ports_of(layout, packet.bytes());
        flow.source_port = ports.source;
        flow.destination_port = ports.destination;
    }
    if (state_.routes.shares_out(layout.family)) {
        const auto policy = static_cast<routing::HashPolicy>(
            layout.family == Family::Ipv4 ? state_.forwarding.fib_multipath_hash_policy
                                          : state_.forwarding.ipv6_fib_multipath_hash_policy);
        flow.hash = state_.routes.hash_of(hash_keys(packet, policy));
    }
    return flow;
}

// Of a packet that would answer, entering where this one will leave. kernel: __fib_validate_source
Flow Pipeline::flow_back(const Packet& packet, const Decision& decision) const {
    Flow flow = flow_of(packet);
    std::swap(flow.source, flow.destination);
    std::swap(flow.source_port, flow.destination_port);
    flow.in = decision.kind == Destination::Unicast ? decision.out : IfIndex::Loopback;
    flow.mark = state_.forwarding.src_valid_mark.either(packet.meta.in) ? flow.mark : 0;
    return flow;
}

// None: there is no way; Loopback: to the router itself.
IfIndex Pipeline::way_out(const Packet& packet, const Decision& decision) const {
    switch (decision.kind) {
        case Destination::Unicast:
            return decision.out;
        case Destination::Local:
            return IfIndex::Loopback;
        case Destination::Broadcast:
        case Destination::Multicast:
            // The sender's kernel has one device for all links; the address it took names the link.
            return state_.interfaces.owner_of(packet.layout.source);
        case Destination::Blackhole:
        case Destination::Prohibit:
        case Destination::Unreachable:
        case Destination::None:
            break;
    }
    return IfIndex::None;
}

// A packet that has become another one is routed as that. kernel: ipt_mangle_out, ip6t_mangle_out
Verdict Pipeline::mangle_output(Packet& packet) {
    const Mark mark = packet.meta.mark;
    const IpAddress source = packet.layout.source;
    const IpAddress destination = packet.layout.destination;
    const std::uint8_t tos = packet.layout.tos;
    const std::uint8_t ttl = packet.layout.ttl;
    const Verdict verdict = filter(rules::TableId::Mangle, Hook::Output, packet);
    const bool other_ttl = packet.layout.family == Family::Ipv6 && packet.layout.ttl != ttl;
    const bool other = packet.meta.mark != mark || packet.layout.source != source ||
                       packet.layout.destination != destination || packet.layout.tos != tos ||
                       other_ttl;
    return verdict.accepted() && other ? reroute(packet) : verdict;
}

// The hook at hand goes on with the interface that it began with. kernel: ip_route_me_harder,
// ip6_route_me_harder
Verdict Pipeline::reroute(const Packet& packet) {
    Decision& way = *state_.network.way();
    way = state_.routes.lookup(flow_of(packet));
    if (state_.observer != nullptr) {
        state_.observer->routed(packet, way);
    }
    return leads_somewhere(way) ? Verdict::accept() : Verdict::drop(DropReason::NoRoute);
}

// Forwarding IPv6 minds the MTU of a route only if that is locked. kernel:
// ip_dst_mtu_maybe_forward, ip6_dst_mtu_maybe_forward
std::uint32_t Pipeline::mtu_of(const Packet& packet, const Decision& decision) const {
    const bool of_link = packet.layout.family == Family::Ipv6 && !packet.meta.locally_generated &&
                         !decision.mtu_locked;
    return of_link ? state_.interfaces.get(decision.out).mtu : state_.network.mtu_of(decision);
}

}  // namespace nsr::pipeline
