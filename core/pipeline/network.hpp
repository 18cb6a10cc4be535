// What rules may ask about interfaces and routes.
#pragma once

#include <utility>

#include "core/routing/interface_table.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/network.hpp"

namespace nsr::pipeline {

// A packet has a way from when it is routed; whoever asks about that packet means this one.
class RoutingNetwork : public rules::Network {
  public:
    RoutingNetwork(const routing::InterfaceTable& interfaces, const routing::RouteTable& routes)
        : interfaces_(interfaces), routes_(routes) {}

    std::string_view interface_name(IfIndex index) const override;
    std::optional<IpAddress> primary_address(IfIndex index,
                                             const IpAddress& towards) const override;
    std::uint32_t path_mtu(const IpAddress& destination) const override;
    std::uint32_t path_mtu() const override;
    std::uint32_t interface_mtu(IfIndex index) const override;
    AddressType address_type(const IpAddress& address,
                             std::optional<IfIndex> limit_to) const override;
    std::optional<IfIndex> route_interface(const IpAddress& address, Mark mark,
                                           IfIndex preferred) const override;

    // Bytes of an IP packet that a route takes: what it says itself, or its link.
    [[nodiscard]] std::uint32_t mtu_of(const routing::Decision& decision) const;

    // Null: the packet at hand is not routed, or there is none.
    [[nodiscard]] routing::Decision* way() const { return way_; }
    routing::Decision* lead(routing::Decision* way) { return std::exchange(way_, way); }

  private:
    const routing::InterfaceTable& interfaces_;
    const routing::RouteTable& routes_;
    routing::Decision* way_ = nullptr;
};

// As long as it lives, the packet at hand has this way; one that it was interrupted for has its own
// again afterwards.
class OnTheWay {
  public:
    OnTheWay(RoutingNetwork& network, routing::Decision& way)
        : network_(network), before_(network.lead(&way)) {}
    ~OnTheWay() { network_.lead(before_); }
    OnTheWay(const OnTheWay&) = delete;
    OnTheWay& operator=(const OnTheWay&) = delete;

  private:
    RoutingNetwork& network_;
    routing::Decision* before_;
};

}  // namespace nsr::pipeline
