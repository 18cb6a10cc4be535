// RouteTable: where a packet goes next.
//
// Theory of operation
//   Connected routes follow from the interfaces' addresses; others come from the configuration and
//   `ip route`. They lie in numbered tables; rules (`ip rule`, rule_list.hpp) say which of them a
//   packet asks, one after the other, until one has an answer. In a table the longest prefix wins,
//   then the lowest metric, then the first added; a route with several next hops shares flows out
//   among those whose link is up.
//   An address of the router is Local; a directed broadcast of a connected IPv4 prefix,
//   255.255.255.255 and multicast are Broadcast or Multicast (delivered locally, never forwarded).
//   So is the subnet-router anycast address of a connected IPv6 prefix. They are the local table,
//   which the first rule asks; they stay ours when their interface is down; its routes do not stay.
//   While the rules of a family are the kernel's own, one index answers (route_index.hpp).
// kernel: fib_lookup, ip_route_input_slow, ip6_route_input
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/siphash.hpp"
#include "core/routing/flow.hpp"
#include "core/routing/interface_table.hpp"
#include "core/routing/route.hpp"
#include "core/routing/route_index.hpp"
#include "core/routing/rule_list.hpp"

namespace nsr::routing {

class RouteTable {
  public:
    // The key decides which of several next hops a flow takes.
    explicit RouteTable(const InterfaceTable& interfaces, SipKey key = {});
    RouteTable(const RouteTable&) = delete;
    RouteTable& operator=(const RouteTable&) = delete;

    // `ip route add`. A connected route is in the way of one with its metric.
    [[nodiscard]] RouteChange add(const Route& route);
    // `ip route append`: behind those of its destination and metric; for IPv6 it becomes one more
    // next hop of the one that is there.
    [[nodiscard]] RouteChange append(const Route& route);
    // `ip route replace`: instead of the one with this destination and metric, if there is one.
    // Does not replace a connected route.
    [[nodiscard]] RouteChange replace(const Route& route);
    // `ip route change`: that, but there must be one.
    [[nodiscard]] RouteChange change(const Route& route);
    // `ip route del`: of the route's table; what is not set (via, interface, metric, TOS, source)
    // matches any. A connected route comes back with its address or its link. False: none such.
    [[nodiscard]] bool remove(const Route& route);
    // These in the place of all configured ones; connected routes stay. If one of them is
    // impossible, nothing changes.
    [[nodiscard]] Result<Done, RouteRefusal> assign(const std::vector<Route>& routes);
    [[nodiscard]] const std::vector<Route>& configured() const { return routes_; }
    [[nodiscard]] const std::vector<Route>& connected() const { return connected_; }
    // Connected routes follow the interfaces; call after their addresses changed, or one went up or
    // down. IPv4 routes through an interface that has lost its last IPv4 address go for good, and
    // so do all through one that is down, and IPv4's with a source that is no address any more. One
    // with several next hops goes with the last of them; those whose link comes back are used
    // again.
    void interfaces_changed();

    // See RuleList.
    [[nodiscard]] RuleChange add_rule(const PolicyRule& rule,
                                      std::optional<std::uint32_t> priority);
    [[nodiscard]] RuleChange remove_rule(const RuleQuery& query);
    void flush_rules(Family family);
    void assign_rules(const RuleList& rules);
    [[nodiscard]] const RuleList& rules() const { return rules_; }

    [[nodiscard]] Decision lookup(const Flow& flow) const;
    // Of a packet of which nothing but this is known.
    [[nodiscard]] Decision lookup(const IpAddress& destination) const {
        return lookup(Flow{.destination = destination});
    }
    // Whether the route that it takes leaves, in one of its next hops, through this interface.
    // kernel: fib_info_nh_uses_dev
    [[nodiscard]] bool leads_through(const Flow& flow, IfIndex interface) const;
    // Somebody has changed the rules. kernel: fib4_has_custom_rules
    [[nodiscard]] bool has_custom_rules(Family family) const { return custom_[index_of(family)]; }
    // A rule asks for ports: a flow needs them. kernel: fib4_rules_early_flow_dissect
    [[nodiscard]] bool reads_ports(Family family) const { return reads_ports_[index_of(family)]; }
    // A route has several next hops: a flow needs its hash.
    [[nodiscard]] bool shares_out(Family family) const { return shares_out_[index_of(family)]; }
    [[nodiscard]] std::uint32_t hash_of(const HashKeys& keys) const {
        return routing::hash_of(keys, key_);
    }
    // Is it an IPv4 address of one of the interfaces? Asked about the source of every packet.
    [[nodiscard]] bool is_own_ipv4(const IpAddress& address) const;

  private:
    // A rule that is asked, with what its names mean now.
    struct Asked {
        PolicyRule rule;
        RuleInterfaces interfaces;
        const RouteIndex* table = nullptr;  // null: there are no routes in it
        RouteIndex::Own own = RouteIndex::Own::Counts;
        std::size_t next = 0;  // the one to go on with after Goto
    };

    // The route that a flow takes, or (null) what is said without one.
    struct Answer {
        const Target* target = nullptr;
        const RouteIndex* table = nullptr;
        Destination kind = Destination::None;
    };
    [[nodiscard]] Answer find(const Flow& flow) const;
    [[nodiscard]] Answer ask_rules(const Flow& flow) const;
    void follow_rules();
    [[nodiscard]] Asked asked(const PolicyRule& rule) const;
    [[nodiscard]] const RouteIndex* find_table(std::uint32_t table) const;

    RouteChange put(Route route, bool instead);
    RouteChange insert_new(Route route);
    RouteChange join(Route& existing, const Route& route);
    [[nodiscard]] std::vector<Route>::iterator find_same(const Route& route);
    [[nodiscard]] RouteChange resolve_in_place(Route& route) const;
    [[nodiscard]] bool is_own(const IpAddress& address) const;
    bool withdraw(const Route& route);
    [[nodiscard]] bool is_connected(const Route& route) const;
    [[nodiscard]] IfIndex resolve(const Route& route, const NextHop& hop) const;
    [[nodiscard]] IfIndex owner_of_gateway(const Route& route, const NextHop& hop) const;
    [[nodiscard]] bool usable(IfIndex interface, Family family) const;
    [[nodiscard]] bool is_lost(const Route& route) const;
    void rebuild();
    void index_connected(const Prefix& own, IfIndex interface);
    void index_local(const Prefix& host, Destination kind);
    void index_route(const Route& route);
    [[nodiscard]] std::vector<Hop> hops_of(const Route& route) const;

    const InterfaceTable& interfaces_;
    SipKey key_;
    RuleList rules_;
    std::vector<Route> routes_;
    std::vector<Route> connected_;
    std::vector<Route> withdrawn_;  // connected routes that have been deleted
    RouteIndex main_;               // and what is the router's own
    RouteIndex local_;              // that alone
    std::map<std::uint32_t, RouteIndex> others_;
    std::array<bool, 2> plain_{true, true};  // by family: main_ answers for all rules
    std::array<bool, 2> custom_{false, false};
    std::array<bool, 2> reads_ports_{false, false};
    std::array<bool, 2> shares_out_{false, false};
    std::array<std::vector<Asked>, 2> asked_;
    std::vector<std::uint32_t> own_ipv4_;  // sorted
};

}  // namespace nsr::routing
