// Copies that TEE makes: packets of the router's own, which nobody tracks.
#include <optional>
#include <utility>

#include "core/pipeline/pipeline.hpp"

namespace nsr::pipeline {

using routing::Decision;
using routing::Destination;

// kernel: nf_dup_ipv4, nf_dup_ipv6
void Pipeline::send_copies(rules::Copies copies) {
    for (rules::Copy& copy : copies) {
        Packet& packet = copy.packet;
        packet.meta.conn = ConnId::None;
        packet.meta.ct_info = CtInfo::Untracked;
        packet.meta.ct_seen = true;
        packet.meta.in = IfIndex::None;
        packet.meta.host_interface = IfIndex::None;
        packet.meta.locally_generated = true;
        const Watched watched(state_.observer, packet);
        const Remembered remembered(state_.history, packet, now_);
        copying_ = true;  // kernel: in_nf_duplicate
        send_copy(packet, way_of(copy));
        copying_ = false;
    }
}

void Pipeline::send_copy(Packet& packet, std::optional<Decision> way) {
    if (!way) {
        return drop(packet, DropReason::NoRoute);
    }
    const OnTheWay on_the_way(state_.network, *way);
    packet.meta.out = way_out(packet, *way);
    count_request(packet);
    const Verdict verdict = run_hook<Hook::Output, kOutput>(packet);
    if (!verdict.accepted()) {
        return end(packet, verdict);
    }
    packet.meta.out = way_out(packet, *way);
    if (packet.meta.out == IfIndex::Loopback) {
        return loop_back(packet);
    }
    postroute(packet);
}

// IPv4 takes an interface at its word, though no route leads to the gateway by it. An interface
// that does not exist counts as none. kernel: nf_dup_ipv4_route, nf_dup_ipv6_route
std::optional<Decision> Pipeline::way_of(const rules::Copy& copy) const {
    const Decision decision =
        state_.routes.lookup({.destination = copy.gateway, .tos = copy.packet.layout.tos});
    const routing::Interface* wanted = state_.interfaces.find(copy.interface);
    if (decision.kind == Destination::Local) {
        return decision;
    }
    if (wanted != nullptr && copy.gateway.is_v4()) {
        return Decision{
            .kind = Destination::Unicast, .out = wanted->index, .next_hop = copy.gateway};
    }
    const bool leads = decision.kind == Destination::Unicast &&
                       (wanted == nullptr || wanted->index == decision.out);
    return leads ? std::optional(decision) : std::nullopt;
}

}  // namespace nsr::pipeline
