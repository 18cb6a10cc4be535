// Which of the router's addresses a packet of its own gets.
#pragma once

#include <optional>
#include <vector>

#include "core/routing/interface.hpp"

namespace nsr::routing {

// The address of `out` in whose prefix `destination` lies, else its first one, else the first of
// any other interface. kernel: inet_select_addr
std::optional<IpAddress> select_ipv4_source(const std::vector<Interface>& interfaces, IfIndex out,
                                            const IpAddress& destination);
// RFC 6724 section 5 with the rules that can make a difference here: 1 (same address), 2 (scope), 5
// (outgoing interface), 6 (label), 8 (longest prefix). kernel: ipv6_dev_get_saddr
std::optional<IpAddress> select_ipv6_source(const std::vector<Interface>& interfaces, IfIndex out,
                                            const IpAddress& destination);

}  // namespace nsr::routing
