// Routes, as `ip route` has them.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/wire/address.hpp"
#include "netlink/socket.hpp"

namespace nsr::netlink {

struct Route {
    Prefix to;  // 0.0.0.0/0 or ::/0: default
    std::optional<IpAddress> via;
    std::string device;  // empty for the types that lead nowhere
    std::uint8_t type = RTN_UNICAST;
    std::uint32_t table = RT_TABLE_MAIN;
    std::uint8_t protocol = RTPROT_STATIC;  // who put it there
    std::optional<IpAddress> source;        // for packets that begin here and have none yet
    std::uint32_t mtu = 0;                  // 0: the device's
    friend bool operator==(const Route&, const Route&) = default;
};

// One to the same destination through the same device, whatever its gateway.
bool has_route(const Socket& socket, const Route& route);
// False if there is such a route already.
bool add_route(const Socket& socket, const Route& route);
// Instead of the route to that destination, if there is one.
void replace_route(const Socket& socket, const Route& route);
// Nothing if there is none.
void remove_route(const Socket& socket, const Route& route);
// All that `protocol` has put there.
void remove_routes_of(const Socket& socket, std::uint8_t protocol);

}  // namespace nsr::netlink
