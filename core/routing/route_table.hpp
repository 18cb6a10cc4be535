// RouteTable: where a packet goes next.
//
// Theory of operation
//   Connected routes follow from the interfaces' addresses; others come from the configuration and
//   `ip route`. Longest prefix wins, then the first added. An address of the router is Local; a
//   directed broadcast of a connected IPv4 prefix, 255.255.255.255 and multicast are Broadcast or
//   Multicast (delivered locally, never forwarded). So is the subnet-router anycast address of a
//   connected IPv6 prefix. Everything lies in one PrefixIndex, the router's own addresses first: as
//   in the kernel, whose local table comes before all others, no route can take them away. They
//   stay ours when their interface is down; its routes do not stay.
// kernel: fib_lookup, ip_route_input_slow, ip6_route_input
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/routing/interface_table.hpp"
#include "core/routing/prefix_index.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

// `ip route add TYPE PREFIX`; Throw is an unreachable network (3/0), as a lookup that found
// nothing.
enum class RouteType : std::uint8_t { Unicast, Blackhole, Prohibit, Unreachable, Throw };

struct Route {
    Prefix to;
    std::optional<IpAddress> via;
    IfIndex interface = IfIndex::None;  // resolved when added
    RouteType type = RouteType::Unicast;
    friend bool operator==(const Route&, const Route&) = default;
};

enum class Destination : std::uint8_t {
    Unicast,
    Local,
    Broadcast,
    Multicast,
    Blackhole,
    Prohibit,
    Unreachable,
    None
};

// Exists: another route leads to this destination. Unreachable: no connected network reaches the
// gateway, or there is no interface.
enum class RouteChange : std::uint8_t { Done, Exists, Unreachable };

// The first of several routes that is impossible.
struct RouteRefusal {
    std::size_t index = 0;
    RouteChange why = RouteChange::Done;
};

struct Decision {
    Destination kind = Destination::None;
    IfIndex out = IfIndex::None;  // valid iff Unicast
    IpAddress next_hop;           // valid iff Unicast: the gateway, or the destination itself
};

// Whether the router may send there itself.
inline bool leads_somewhere(const Decision& decision) {
    return decision.kind == Destination::Unicast || decision.kind == Destination::Local;
}

class RouteTable {
  public:
    explicit RouteTable(const InterfaceTable& interfaces);

    // `ip route add`. IPv6 routes may share the destination of a connected one, which wins.
    [[nodiscard]] RouteChange add(const Route& route);
    // `ip route replace`: instead of the one that leads to this destination, if there is one. Does
    // not replace a connected route.
    [[nodiscard]] RouteChange replace(const Route& route);
    // `ip route del`: `via` and `interface` may be unset, and then match any. A connected route
    // comes back with its address or its link. False: none such.
    [[nodiscard]] bool remove(const Route& route);
    // These in the place of all configured ones; connected routes stay. If one of them is
    // impossible, nothing changes.
    [[nodiscard]] Result<Done, RouteRefusal> assign(const std::vector<Route>& routes);
    [[nodiscard]] const std::vector<Route>& configured() const { return routes_; }
    [[nodiscard]] const std::vector<Route>& connected() const { return connected_; }
    // Connected routes follow the interfaces; call after their addresses changed, or one went up or
    // down. IPv4 routes through an interface that has lost its last IPv4 address go for good, and
    // so do all through one that is down.
    void interfaces_changed();

    [[nodiscard]] Decision lookup(const IpAddress& destination) const;
    // Is it an IPv4 address of one of the interfaces? Asked about the source of every packet.
    [[nodiscard]] bool is_own_ipv4(const IpAddress& address) const;

  private:
    struct Target {
        Decision decision;
        bool direct = false;  // no gateway: the next hop is the destination
    };

    RouteChange insert(Route route, bool instead);
    RouteChange append(Route route);
    [[nodiscard]] bool resolve_in_place(Route& route) const;
    bool withdraw(const Route& route);
    [[nodiscard]] bool is_connected(const Prefix& network) const;
    [[nodiscard]] IfIndex resolve(const Route& route) const;
    void rebuild();
    void index_connected(const Prefix& own, IfIndex interface);
    void index_local(const Prefix& host, Destination kind);
    void index_route(const Route& route);

    const InterfaceTable& interfaces_;
    std::vector<Route> routes_;
    std::vector<Route> connected_;
    std::vector<Route> withdrawn_;  // connected routes that have been deleted
    PrefixIndex index_;             // values are indices of targets_
    std::vector<Target> targets_;
    std::vector<std::uint32_t> own_ipv4_;  // sorted
};

}  // namespace nsr::routing
