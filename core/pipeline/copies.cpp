// Copies that TEE makes: packets of the router's own, which nobody tracks.
#include <optional>
#include <utility>

#include "core/pipeline/pipeline.hpp"

namespace nsr::pipeline {

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
        if (state_.observer != nullptr) {
            state_.observer->packet_received(packet);
        }
        copying_ = true;  // kernel: in_nf_duplicate
        send_copy(packet, way_of(copy));
        copying_ = false;
    }
}

void Pipeline::send_copy(Packet& packet, std::optional<IfIndex> way) {
    if (!way) {
        return drop(packet, DropReason::NoRoute);
    }
    packet.meta.out = *way;
    count_request(packet);
    const Verdict verdict = run_hook<Hook::Output, kOutput>(packet);
    if (!verdict.accepted()) {
        return end(packet, verdict);
    }
    if (*way == IfIndex::Loopback) {
        return loop_back(packet);
    }
    postroute(packet);
}

// IPv4 takes an interface at its word, though no route leads to the gateway by it. An interface
// that does not exist counts as none. kernel: nf_dup_ipv4_route, nf_dup_ipv6_route
std::optional<IfIndex> Pipeline::way_of(const rules::Copy& copy) const {
    const routing::Decision decision = state_.routes.lookup(copy.gateway);
    const routing::Interface* wanted = state_.interfaces.find(copy.interface);
    if (decision.kind == routing::Destination::Local) {
        return IfIndex::Loopback;
    }
    if (wanted != nullptr && copy.gateway.is_v4()) {
        return wanted->index;
    }
    const bool leads = decision.kind == routing::Destination::Unicast &&
                       (wanted == nullptr || wanted->index == decision.out);
    return leads ? std::optional(decision.out) : std::nullopt;
}

}  // namespace nsr::pipeline
