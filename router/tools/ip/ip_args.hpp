// IpArgs: a command of ip(8), read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/routing/flow.hpp"
#include "core/routing/route.hpp"
#include "core/routing/rule_list.hpp"

namespace nsr::router {

enum class IpAction : std::uint8_t {
    AddressAdd,
    AddressDel,
    AddressShow,
    RouteAdd,
    RouteAppend,
    RouteReplace,
    RouteChange,
    RouteDel,
    RouteFlush,
    RouteGet,
    RouteShow,
    RuleAdd,
    RuleDel,
    RuleFlush,
    RuleShow,
    LinkSet,
    LinkShow,
};

// One `nexthop` of a route, its interface by name.
struct HopWords {
    std::optional<IpAddress> via;
    std::string interface;
    std::uint16_t weight = 1;
    bool onlink = false;
};

// The routes that `show` and `flush` mean. What is not given does not matter.
struct RouteSelection {
    enum class By : std::uint8_t { Exact, Root, Match };  // this prefix; in it; what holds it

    std::optional<Prefix> to;
    By by = By::Exact;
    std::optional<IpAddress> via;
    std::optional<std::uint32_t> table = routing::kMainTable;  // nothing: all
    std::optional<routing::RouteType> type;
};

// What `route get` asks about, its interfaces by name.
struct RouteQuestion {
    routing::Flow flow;
    std::string in;
    std::string out;
};

struct IpArgs {
    IpAction action = IpAction::LinkShow;
    Family family = Family::None;  // -4, -6; None: not given
    std::string interface;         // empty: not given (routes, show)
    Prefix prefix;            // address or destination; valid iff an address or a route changes
    bool any_length = false;  // AddressDel: an IPv4 address without its length
    std::optional<IpAddress> via;  // routes
    routing::RouteType type = routing::RouteType::Unicast;
    routing::Route route;  // what else is said of a route
    std::vector<HopWords> hops;
    RouteSelection selection;          // RouteShow, RouteFlush
    RouteQuestion question;            // RouteGet
    routing::RuleQuery rule;           // Rule...
    std::optional<std::uint32_t> mtu;  // LinkSet
    std::optional<bool> up;            // LinkSet

    [[nodiscard]] bool only_shows() const {
        return action == IpAction::AddressShow || action == IpAction::RouteShow ||
               action == IpAction::RouteGet || action == IpAction::RuleShow ||
               action == IpAction::LinkShow;
    }
};

}  // namespace nsr::router
