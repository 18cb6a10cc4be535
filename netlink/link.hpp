// Network devices of the namespace that the socket belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink/socket.hpp"

namespace nsr::netlink {

struct Link {
    int index = 0;
    std::uint32_t mtu = 0;
    bool up = false;
    std::string kind;  // "tun", "veth", ...; empty: a device of no kind, such as lo
};

// Names of all devices.
std::vector<std::string> link_names(const Socket& socket);
std::optional<Link> find_link(const Socket& socket, const std::string& name);
void set_link_up(const Socket& socket, const std::string& name, bool up);
// How many packets the device may hold for who reads them.
void set_link_queue(const Socket& socket, const std::string& name, std::uint32_t packets);
// Packets that the device dropped, most often because that queue was full. Nothing: no such device.
std::optional<std::uint64_t> link_tx_dropped(const Socket& socket, const std::string& name);
void set_link_mtu(const Socket& socket, const std::string& name, std::uint32_t mtu);
// No link-local address, no duplicate address detection, no router solicitation: a device that
// says nothing on its own. Nothing if the kernel has no IPv6. Call inside the namespace.
void quiet_ipv6(const std::string& device);

}  // namespace nsr::netlink
