// Routes of the main table.
#pragma once

#include <optional>
#include <string>

#include "core/wire/address.hpp"
#include "netlink/socket.hpp"

namespace nsr::netlink {

struct Route {
    Prefix to;  // 0.0.0.0/0 or ::/0: default
    std::optional<IpAddress> via;
    std::string device;
};

// One to the same destination through the same device, whatever its gateway.
bool has_route(const Socket& socket, const Route& route);
// False if there is such a route already.
bool add_route(const Socket& socket, const Route& route);
// Nothing if there is none.
void remove_route(const Socket& socket, const Route& route);

}  // namespace nsr::netlink
