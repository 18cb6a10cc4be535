#include "core/pipeline/network.hpp"

namespace nsr::pipeline {

std::string_view RoutingNetwork::interface_name(IfIndex index) const {
    if (index == IfIndex::Loopback) {
        return "lo";
    }
    return index == IfIndex::None ? std::string_view() : interfaces_.get(index).name;
}

std::optional<IpAddress> RoutingNetwork::primary_address(IfIndex index,
                                                         const IpAddress& towards) const {
    // kernel: nf_nat_masquerade_ipv4 goes by the network of the gateway, IPv6 by the destination
    const bool of_this_packet =
        way_ != nullptr && way_->kind == routing::Destination::Unicast && way_->out == index;
    if (towards.is_v4() && !towards.is_unspecified() && of_this_packet) {
        return interfaces_.source_for(index, way_->next_hop);
    }
    const auto address = interfaces_.source_for(index, towards);
    // Towards nobody: of this link, or none at all. kernel: nf_nat_redirect_ipv4
    const bool borrowed = address && index != IfIndex::Loopback && towards.is_unspecified() &&
                          interfaces_.owner_of(*address) != index;
    return borrowed ? std::nullopt : address;
}

std::uint32_t RoutingNetwork::path_mtu(const IpAddress& destination) const {
    return mtu_of(routes_.lookup(destination));
}

std::uint32_t RoutingNetwork::path_mtu() const {
    return way_ != nullptr ? mtu_of(*way_) : 65535;
}

std::uint32_t RoutingNetwork::mtu_of(const routing::Decision& decision) const {
    if (decision.kind != routing::Destination::Unicast) {
        return 65535;
    }
    return decision.mtu != 0 ? decision.mtu : interface_mtu(decision.out);
}

std::uint32_t RoutingNetwork::interface_mtu(IfIndex index) const {
    const bool device = index != IfIndex::None && index != IfIndex::Loopback;
    return device ? interfaces_.get(index).mtu : 65535;
}

// kernel: inet_dev_addr_type, match_type6
rules::Network::AddressType RoutingNetwork::address_type(const IpAddress& address,
                                                         std::optional<IfIndex> limit_to) const {
    if (address.is_unspecified()) {
        return address.is_v4() ? AddressType::Broadcast : AddressType::Unspecified;
    }
    using routing::Destination;
    const Destination kind = routes_.lookup(address).kind;
    const bool refused = kind == Destination::Blackhole || kind == Destination::Prohibit ||
                         kind == Destination::Unreachable;
    if (refused && address.is_v4()) {  // the kernel asks the table of local addresses only
        return AddressType::Unicast;
    }
    switch (kind) {
        case Destination::Local:
            if (address.is_v6() && interfaces_.owner_of(address) == IfIndex::None) {
                return AddressType::Anycast;  // of the subnet's routers
            }
            return limit_to && interfaces_.owner_of(address) != *limit_to ? AddressType::Unicast
                                                                          : AddressType::Local;
        case Destination::Broadcast:
            return AddressType::Broadcast;
        case Destination::Multicast:
            return AddressType::Multicast;
        case Destination::Blackhole:
            return AddressType::Blackhole;
        case Destination::Prohibit:
            return AddressType::Prohibit;
        case Destination::Unreachable:
            return AddressType::Unreachable;
        case Destination::Unicast:
        case Destination::None:
            break;
    }
    return AddressType::Unicast;
}

std::optional<IfIndex> RoutingNetwork::route_interface(const IpAddress& address, Mark mark,
                                                       IfIndex preferred) const {
    const routing::Flow flow{.destination = address, .mark = mark};
    const routing::Decision decision = routes_.lookup(flow);
    if (decision.kind != routing::Destination::Unicast) {
        return std::nullopt;
    }
    return routes_.leads_through(flow, preferred) ? preferred : decision.out;
}

}  // namespace nsr::pipeline
