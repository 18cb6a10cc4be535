// Names of addresses that -L shows: those of Debian's /etc/hosts and /etc/networks. A router asks
// no name server.
#pragma once

#include <string_view>

namespace nsr::router {

// Of an IPv4 address without its mask. Empty: it has none.
std::string_view host_name(std::string_view address);

}  // namespace nsr::router
