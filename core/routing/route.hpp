// What an administrator says of a way: `ip route`. kernel: fib_config, fib_info, fib_nh
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

// kernel: RT_TABLE_*
inline constexpr std::uint32_t kDefaultTable = 253;
inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kLocalTable = 255;

// kernel: IP6_RT_PRIO_ADDRCONF, IP6_RT_PRIO_USER
inline constexpr std::uint32_t kIpv6ConnectedMetric = 256;
inline constexpr std::uint32_t kIpv6Metric = 1024;

// `ip route add TYPE PREFIX`; Throw: the table has no way, the next rule is asked.
enum class RouteType : std::uint8_t { Unicast, Blackhole, Prohibit, Unreachable, Throw };

// One of several ways of a route; flows are shared out among them by weight.
struct NextHop {
    std::optional<IpAddress> via;
    IfIndex interface = IfIndex::None;  // resolved when added
    std::uint16_t weight = 1;
    bool onlink = false;
    friend bool operator==(const NextHop&, const NextHop&) = default;
};

struct Route {
    Prefix to;
    std::optional<IpAddress> via;
    IfIndex interface = IfIndex::None;  // resolved when added
    RouteType type = RouteType::Unicast;
    std::uint32_t table = kMainTable;
    std::uint32_t metric = 0;  // the lowest wins; IPv6: 0 stands for 1024
    std::uint8_t tos = 0;      // IPv4: for packets of this TOS only; 0: for all
    std::optional<IpAddress> source = std::nullopt;  // of packets of the router itself
    std::uint32_t mtu = 0;                           // 0: the link's
    bool mtu_locked = false;
    bool onlink = false;             // the gateway is there, though no network says so
    std::vector<NextHop> hops = {};  // not empty: instead of via, interface and onlink
    friend bool operator==(const Route&, const Route&) = default;
};

// Exists: another route has this destination, table, metric and TOS. Unreachable: no connected
// network reaches the gateway, or there is no interface. BadSource: not an address of the router.
// Missing: there is none to change.
enum class RouteChange : std::uint8_t { Done, Exists, Unreachable, BadSource, Missing };

// The first of several routes that is impossible.
struct RouteRefusal {
    std::size_t index = 0;
    RouteChange why = RouteChange::Done;
};

// kernel: inet6_rtm_newroute: a metric of 0 is the one for users
constexpr std::uint32_t effective_metric(const Route& route) {
    return route.metric == 0 && route.to.address.is_v6() ? kIpv6Metric : route.metric;
}

}  // namespace nsr::routing
