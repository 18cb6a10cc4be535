// What rules may ask about interfaces and routes.
#pragma once

#include "core/routing/interface_table.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/network.hpp"

namespace nsr::pipeline {

class RoutingNetwork : public rules::Network {
  public:
    RoutingNetwork(const routing::InterfaceTable& interfaces, const routing::RouteTable& routes)
        : interfaces_(interfaces), routes_(routes) {}

    std::string_view interface_name(IfIndex index) const override;
    std::optional<IpAddress> primary_address(IfIndex index,
                                             const IpAddress& towards) const override;
    std::uint32_t path_mtu(const IpAddress& destination) const override;
    std::uint32_t interface_mtu(IfIndex index) const override;
    AddressType address_type(const IpAddress& address,
                             std::optional<IfIndex> limit_to) const override;
    std::optional<IfIndex> route_interface(const IpAddress& address) const override;

  private:
    const routing::InterfaceTable& interfaces_;
    const routing::RouteTable& routes_;
};

}  // namespace nsr::pipeline
