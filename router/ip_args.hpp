// The few words of ip(8) that change a running router: `addr add|del PREFIX dev X`, `route add|del
// [TYPE] PREFIX [via GATEWAY] [dev X]`, `link set dev X mtu N`, `link set dev X up|down`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/routing/route_table.hpp"

namespace nsr {
class Router;
}

namespace nsr::router {

enum class IpAction : std::uint8_t { AddressAdd, AddressDel, RouteAdd, RouteDel, LinkSet };

struct IpArgs {
    IpAction action = IpAction::LinkSet;
    std::string interface;         // empty: not given (routes)
    Prefix prefix;                 // address or destination; valid iff not LinkSet
    std::optional<IpAddress> via;  // RouteAdd, RouteDel
    routing::RouteType type = routing::RouteType::Unicast;
    std::optional<std::uint32_t> mtu;  // LinkSet
    std::optional<bool> up;            // LinkSet
};

Result<IpArgs, std::string> parse_ip_args(std::string_view line);
// Does it. The answer is empty, or what was wrong in the words of ip(8).
std::string apply_ip_args(const IpArgs& args, Router& router, Instant now);

}  // namespace nsr::router
