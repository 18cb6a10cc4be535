// Network: what rules may ask about interfaces, addresses and routes. The pipeline answers.
// kernel: struct net
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

// Every IfIndex is one of the router's or None, which packets have before they are routed and where
// the router itself sent or gets them. Nothing here changes while a packet is on its way.
class Network {
  public:
    virtual ~Network() = default;
    virtual std::string_view interface_name(IfIndex index) const = 0;  // None: empty
    // MASQUERADE, REDIRECT: the address the router would send from, to `towards`. Nothing: the
    // interface has none of that family.
    virtual std::optional<IpAddress> primary_address(IfIndex index,
                                                     const IpAddress& towards) const = 0;
    // TCPMSS --clamp-mss-to-pmtu: bytes of an IP packet; 65535 where nothing limits them.
    virtual std::uint32_t path_mtu(const IpAddress& destination) const = 0;
    // The same of the way that the packet at hand takes.
    virtual std::uint32_t path_mtu() const = 0;
    virtual std::uint32_t interface_mtu(IfIndex index) const = 0;
    enum class AddressType : std::uint8_t {
        Unspecified,
        Unicast,
        Local,
        Broadcast,
        Anycast,
        Multicast,
        Blackhole,
        Unreachable,
        Prohibit
    };
    // With `limit_to`, addresses of other interfaces are not Local.
    virtual AddressType address_type(const IpAddress& address,
                                     std::optional<IfIndex> limit_to) const = 0;
    // rpfilter: where a packet to `address` with this mark would leave; of several ways the
    // preferred one, if it is among them. Nothing: it would not.
    virtual std::optional<IfIndex> route_interface(const IpAddress& address, Mark mark,
                                                   IfIndex preferred) const = 0;
};

}  // namespace nsr::rules
