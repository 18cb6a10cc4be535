// Addresses of network devices.
#pragma once

#include <string>

#include "core/wire/address.hpp"
#include "netlink/socket.hpp"

namespace nsr::netlink {

bool has_address(const Socket& socket, const std::string& device, const Prefix& address);
// False if the device has that address already.
bool add_address(const Socket& socket, const std::string& device, const Prefix& address);
// Nothing if the device has not got it.
void remove_address(const Socket& socket, const std::string& device, const Prefix& address);

}  // namespace nsr::netlink
