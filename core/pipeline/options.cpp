// IPv4 options on their way through the router: what it writes into them, and the address it does
// that with.
#include "core/packet/ipv4_options.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/wire/icmp.hpp"

namespace nsr::pipeline {

using routing::Decision;
using routing::Destination;
namespace icmp = wire::icmp;

// Options get the router's entry when the way is known, whoever the packet is for; a process of the
// [host] namespace has a kernel that does it. kernel: ip_rcv_options
Verdict Pipeline::check_options(Packet& packet, const Decision& decision) {
    recorded_at_ = 0;
    if (!packet.layout.has_ipv4_options) {
        return Verdict::accept();
    }
    if (decision.kind == Destination::Unicast || state_.interfaces.host() == IfIndex::None) {
        const IpAddress address = specific_destination(packet, decision);
        const local::Self self = self_now();
        recorded_at_ = record_in_ipv4_options(packet, {address, self.time_of_day_ms, self.is_own});
    }
    if (packet.layout.problem_pointer != 0) {
        send_error(packet, {icmp::kParameterProblem, 0, packet.layout.problem_pointer});
        return Verdict::drop(DropReason::BadOption);
    }
    if (packet.layout.source_routed) {
        return Verdict::drop(DropReason::SourceRouted);
    }
    return Verdict::accept();
}

local::Self Pipeline::self_now() const {
    return {time_of_day(now_), [this](const IpAddress& address) {
                const bool this_network = address.as_v4() >> 24 == 0;
                const auto kind = state_.routes.lookup(address).kind;
                return this_network || kind == Destination::Local ||
                       kind == Destination::Broadcast || kind == Destination::Multicast;
            }};
}

// The address it was sent to, or the one that its sender would be answered from. kernel:
// fib_compute_spec_dst
IpAddress Pipeline::specific_destination(const Packet& packet, const Decision& decision) const {
    const IpAddress& source = packet.layout.source;
    if (decision.kind == Destination::Local) {
        return packet.layout.destination;
    }
    const IpAddress unspecified{{}, Family::Ipv4};
    if (const auto address = source_towards(source)) {
        return *address;
    }
    return state_.interfaces.source_for(packet.meta.in, source).value_or(unspecified);
}

// Nothing if no packet can go there. kernel: fib_result_prefsrc; fib_info_update_nhc_saddr asks for
// the gateway's network, ipv6_dev_get_saddr not
std::optional<IpAddress> Pipeline::source_towards(const IpAddress& destination) const {
    const Decision decision = state_.routes.lookup(destination);
    if (decision.kind == Destination::Local) {
        return destination;
    }
    if (!leads_somewhere(decision)) {
        return std::nullopt;
    }
    if (decision.source.family != Family::None) {
        return decision.source;
    }
    return state_.interfaces.source_for(decision.out,
                                        destination.is_v4() ? decision.next_hop : destination);
}

// kernel: ip_forward_options
void Pipeline::stamp_options(Packet& packet, const Decision& decision) {
    if (!packet.layout.has_ipv4_options) {
        return;
    }
    const IpAddress unspecified{{}, Family::Ipv4};
    const auto outgoing = state_.interfaces.source_for(decision.out, decision.next_hop);
    restamp_ipv4_options(packet, recorded_at_, outgoing.value_or(unspecified));
}

}  // namespace nsr::pipeline
