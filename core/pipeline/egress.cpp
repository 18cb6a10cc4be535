// Leaving: a packet becomes what its link takes, in pieces, segments or whole.
#include <algorithm>
#include <utility>

#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr::pipeline {

// kernel: ip_finish_output, ip6_finish_output. Reassembled IPv4 datagrams always leave in pieces,
// IPv6 ones only when larger than the largest piece they came in.
void Pipeline::finish_output(Packet& packet) {
    const std::uint32_t mtu = state_.network.mtu_of(*state_.network.way());
    const bool in_pieces =
        packet.fragments != nullptr &&
        (packet.layout.family == Family::Ipv4 || packet.size() > packet.fragments->max_size);
    if (in_pieces || wire_length(packet) > mtu) {
        fragment(std::move(packet), mtu);
    } else {
        count_transmit(packet);
        transmit(packet);
    }
}

void Pipeline::fragment(Packet packet, std::uint32_t mtu) {
    if (packet.layout.dont_fragment && packet.fragments == nullptr) {
        send_error(packet,
                   {wire::icmp::kDestinationUnreachable, wire::icmp::kFragmentationNeeded, mtu});
        return drop(packet, DropReason::TooBig);
    }
    const bool is_forwarded = !packet.meta.locally_generated && packet.fragments == nullptr;
    if (packet.layout.family == Family::Ipv6 && is_forwarded) {
        return too_big(packet, mtu);  // for the MTU of its route; kernel: ip6_fragment, ignore_df
    }
    EgressQueue segments;
    if (packet.offload.gso != Gso::None) {
        segment(std::move(packet), segments);
    } else {
        rewrite::complete_checksum(packet);
        segments.push_back(std::move(packet));
    }
    for (Packet& whole : segments) {
        EgressQueue pieces;
        if (whole.layout.family == Family::Ipv4) {
            fragment_ipv4(whole, mtu, pieces);
        } else {
            fragment_ipv6(whole, mtu, state_.random.next32(), pieces);
        }
        if (pieces.empty()) {
            too_big(whole, mtu);
        }
        IpCounters& counted = counters(whole);
        counted.frag_oks += pieces.empty() ? 0 : 1;
        counted.frag_creates += pieces.size();
        for (Packet& piece : pieces) {
            count_transmit(piece);
            transmit(piece);
        }
    }
}

// The headers that every piece must have leave no room for anything else. kernel: ip6_fragment,
// fail_toobig
void Pipeline::too_big(Packet& packet, std::uint32_t mtu) {
    if (packet.layout.family == Family::Ipv6) {
        const std::uint32_t largest =
            packet.fragments ? std::min<std::uint32_t>(mtu, packet.fragments->max_size) : mtu;
        send_error(packet, {wire::icmpv6::kPacketTooBig, 0,
                            std::max<std::uint32_t>(largest, wire::ipv6::kMinimumMtu)});
    }
    drop(packet, DropReason::TooBig);
}

void Pipeline::transmit(Packet& packet) {
    routing::Interface& interface = state_.interfaces.get(packet.meta.out);
    if (!interface.up) {
        ++interface.counters.tx_dropped;
        return drop(packet, DropReason::InterfaceDown);
    }
    const Gso gso = packet.offload.gso;
    const bool takes_it = gso == Gso::None || (gso == Gso::Udp ? interface.capabilities.gso_udp
                                                               : interface.capabilities.gso_tcp);
    if (!takes_it) {
        EgressQueue segments;
        segment(std::move(packet), segments);
        for (Packet& wire_packet : segments) {
            transmit(wire_packet);
        }
        return;
    }
    if (!interface.capabilities.checksum) {
        rewrite::complete_checksum(packet);
    }
    ++interface.counters.tx_packets;
    interface.counters.tx_bytes += packet.size();
    state_.history.left(packet);
    if (state_.observer != nullptr) {
        state_.observer->left(packet);
    }
    out_.push_back(std::move(packet));
}

// kernel: ip_finish_output2
void Pipeline::count_transmit(const Packet& packet) {
    IpCounters& counted = counters(packet);
    ++counted.out_transmits;
    counted.out_octets += packet.size();
}

}  // namespace nsr::pipeline
