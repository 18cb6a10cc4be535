// Addresses of network devices.
#pragma once

#include <cstdint>
#include <string>

#include "core/wire/address.hpp"
#include "netlink/socket.hpp"

namespace nsr::netlink {

bool has_address(const Socket& socket, const std::string& device, const Prefix& address);
// `flags`: IFA_F_* beside those that every address gets. False if the device has that address
// already.
bool add_address(const Socket& socket, const std::string& device, const Prefix& address,
                 std::uint32_t flags = 0);
// Nothing if the device has not got it.
void remove_address(const Socket& socket, const std::string& device, const Prefix& address);

}  // namespace nsr::netlink
