// Names that -L shows in the place of numbers: those of Debian's /etc/services, /etc/hosts and
// /etc/networks. A router asks no name server.
#pragma once

#include <cstdint>
#include <string_view>

namespace nsr::router {

// Empty: it has none in this protocol.
std::string_view service_name(std::uint16_t port, std::uint8_t protocol);
// Of an IPv4 address without its mask. Empty: it has none.
std::string_view host_name(std::string_view address);

}  // namespace nsr::router
