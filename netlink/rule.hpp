// Policy routing rules, as `ip rule` has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/wire/address.hpp"
#include "netlink/socket.hpp"

namespace nsr::netlink {

struct Rule {
    Family family = Family::Ipv4;
    std::uint32_t priority = 0;
    std::uint32_t table = 0;
    std::string incoming;             // `iif NAME`; empty: any. What begins here comes in by lo
    std::optional<IpAddress> source;  // `from ADDRESS`
};

// Nothing if there is such a rule already.
void add_rule(const Socket& socket, const Rule& rule);
// Nothing if there is none.
void remove_rule(const Socket& socket, const Rule& rule);

}  // namespace nsr::netlink
