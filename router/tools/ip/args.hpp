// The words of ip(8) that a router of one process can honour:
//
//   [-4|-6] addr  [show [dev NAME]] | add|del ADDRESS/LENGTH dev NAME
//   [-4|-6] route [show] | add|replace|del [TYPE] PREFIX [via ADDRESS] [dev NAME]
//           link  [show [dev NAME]] | set [dev] NAME [mtu N] [up|down]
//
// Words may be shortened as far as ip(8) lets them (`a`, `r`, `l`, `d`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/routing/route_table.hpp"

namespace nsr::router {

enum class IpAction : std::uint8_t {
    AddressAdd,
    AddressDel,
    AddressShow,
    RouteAdd,
    RouteReplace,
    RouteDel,
    RouteShow,
    LinkSet,
    LinkShow,
};

struct IpArgs {
    IpAction action = IpAction::LinkShow;
    Family family = Family::None;  // -4, -6; None: not given
    std::string interface;         // empty: not given (routes, show)
    Prefix prefix;            // address or destination; valid iff an address or a route changes
    bool any_length = false;  // AddressDel: an IPv4 address without its length
    std::optional<IpAddress> via;  // routes
    routing::RouteType type = routing::RouteType::Unicast;
    std::optional<std::uint32_t> mtu;  // LinkSet
    std::optional<bool> up;            // LinkSet

    [[nodiscard]] bool only_shows() const {
        return action == IpAction::AddressShow || action == IpAction::RouteShow ||
               action == IpAction::LinkShow;
    }
};

// The error says what would be right.
Result<IpArgs, std::string> parse_ip_args(const std::vector<std::string>& words);
Result<IpArgs, std::string> parse_ip_args(std::string_view line);

}  // namespace nsr::router
