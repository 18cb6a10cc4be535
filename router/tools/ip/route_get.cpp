// `ip route get`: the way that a packet would take, in the words of ip(8).
// differs: route-get-words
#include <algorithm>
#include <optional>
#include <utility>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

using routing::Decision;
using routing::Destination;
using routing::Route;

constexpr IpAddress kAllHosts = IpAddress::v4(224, 0, 0, 1);

std::string why_not(Destination kind) {
    switch (kind) {
        case Destination::Blackhole:
            return "RTNETLINK answers: Invalid argument";
        case Destination::Prohibit:
            return "RTNETLINK answers: Permission denied";
        case Destination::Unreachable:
            return "RTNETLINK answers: No route to host";
        default:
            return "RTNETLINK answers: Network is unreachable";
    }
}

// What goes to all of a network, or to a group. A packet that comes in is for the router itself or
// for nobody; one that begins here leaves by the link that is asked for, or that its source is an
// address of, or that a broadcast address or a route names. kernel: ip_route_output_key_hash_rcu,
// ip_route_input_rcu, ip6_route_get
class ToMany {
  public:
    ToMany(const routing::Flow& flow, Destination kind, const Router& router)
        : flow_(flow), kind_(kind), router_(router) {}

    [[nodiscard]] IpAnswer received() const {
        if (flow_.destination.is_v6()) {
            return {{}, "RTNETLINK answers: Message too long"};  // as the kernel says it
        }
        if (kind_ == Destination::Multicast && flow_.destination != kAllHosts) {
            return {{}, "RTNETLINK answers: Invalid argument"};
        }
        return {head() + from() + " dev lo" + mark() + cache() + " iif " + name_of(flow_.in) + "\n",
                {}};
    }

    [[nodiscard]] IpAnswer sent() const {
        if (flow_.destination.is_v6()) {
            return sent_ipv6();
        }
        const bool of_subnet =
            !flow_.destination.is_multicast() && !flow_.destination.is_limited_broadcast();
        const IfIndex there = of_subnet ? link_of_broadcast() : IfIndex::None;
        if (of_subnet && flow_.out != IfIndex::None && flow_.out != there) {
            return as_unicast();
        }
        const IfIndex own = router_.interfaces().owner_of(flow_.source);
        const IfIndex out = flow_.out != IfIndex::None ? flow_.out
                            : of_subnet                ? there
                            : own != IfIndex::None     ? own
                                                       : out_by_route();
        if (out == IfIndex::None) {
            return {{}, why_not(Destination::None)};
        }
        return {head() + from() + " dev " + name_of(out) + source_on(out) + mark() + cache() + "\n",
                {}};
    }

  private:
    [[nodiscard]] std::string head() const {
        return (kind_ == Destination::Broadcast ? "broadcast " : "multicast ") +
               to_string(flow_.destination);
    }
    [[nodiscard]] std::string from() const {
        return flow_.source.family == Family::None ? "" : " from " + to_string(flow_.source);
    }
    [[nodiscard]] std::string mark() const {
        return flow_.mark == 0 ? "" : " mark " + std::to_string(flow_.mark);
    }
    [[nodiscard]] std::string cache() const {
        const bool joined = flow_.destination == kAllHosts;
        return std::string("\n    cache ") + (kind_ == Destination::Broadcast ? "<local,brd>"
                                              : joined                        ? "<local,mc>"
                                                                              : "<mc>");
    }
    [[nodiscard]] std::string name_of(IfIndex interface) const {
        return router_.interfaces().get(interface).name;
    }
    [[nodiscard]] std::string source_on(IfIndex out) const {
        if (flow_.source.family != Family::None) {
            return {};
        }
        const auto source = router_.interfaces().source_for(out, flow_.destination);
        return source ? " src " + to_string(*source) : "";
    }
    [[nodiscard]] IfIndex link_of_broadcast() const {
        for (const routing::Interface& interface : router_.interfaces().all()) {
            for (const Prefix& own : interface.addresses) {
                if (own.address.is_v4() && own.last() == flow_.destination) {
                    return interface.index;
                }
            }
        }
        return IfIndex::None;
    }
    // The longest that contains the destination and, if `out` is given, leaves there.
    [[nodiscard]] const Route* covering(IfIndex out) const {
        const Route* best = nullptr;
        for (const Route& route : router_.routes().configured()) {
            const bool fits =
                route.type == routing::RouteType::Unicast && route.to.contains(flow_.destination) &&
                link_of(route) != IfIndex::None && (out == IfIndex::None || link_of(route) == out);
            const bool better = best == nullptr || route.to.length > best->to.length ||
                                (route.to.length == best->to.length && route.metric < best->metric);
            best = fits && better ? &route : best;
        }
        return best;
    }
    static IfIndex link_of(const Route& route) {
        return route.hops.empty() ? route.interface : route.hops.front().interface;
    }
    [[nodiscard]] IfIndex out_by_route() const {
        const Route* route = covering(IfIndex::None);
        return route == nullptr ? IfIndex::None : link_of(*route);
    }
    // Another network's broadcast address is an address like others.
    [[nodiscard]] IpAnswer as_unicast() const {
        const Route* route = covering(flow_.out);
        const auto source = router_.interfaces().source_for(flow_.out, flow_.destination);
        const std::string via =
            route != nullptr && route->via ? " via " + to_string(*route->via) : "";
        return {to_string(flow_.destination) + from() + via + " dev " + name_of(flow_.out) +
                    (source && flow_.source.family == Family::None ? " src " + to_string(*source)
                                                                   : "") +
                    mark() + "\n",
                {}};
    }
    // Each link has a route to ff00::/8; the first one's is the first one.
    [[nodiscard]] IpAnswer sent_ipv6() const {
        const auto& all = router_.interfaces().all();
        const auto first = std::find_if(all.begin(), all.end(), [&](const auto& each) {
            return each.up && !each.ipv6_disabled && !each.host &&
                   (flow_.out == IfIndex::None || each.index == flow_.out);
        });
        if (first == all.end()) {
            return {{}, why_not(Destination::None)};
        }
        const auto source = router_.interfaces().source_for(first->index, flow_.destination);
        return {head() + (flow_.source.family == Family::None ? " from ::" : from()) + " dev " +
                    first->name + " table local proto kernel" +
                    (source ? " src " + to_string(*source) : "") + " metric 256" + mark() + "\n",
                {}};
    }

    const routing::Flow& flow_;
    Destination kind_;
    const Router& router_;
};

// Its own address in the network that the anycast address is of.
std::string anycast_source(const IpAddress& to, const Router& router) {
    for (const routing::Interface& interface : router.interfaces().all()) {
        for (const Prefix& own : interface.addresses) {
            if (own.network().address == to) {
                return " src " + to_string(own.address);
            }
        }
    }
    return {};
}

// The address that the router would send from; empty: it has none.
std::string source_text(const routing::Flow& flow, const Decision& decision, const Router& router) {
    const IpAddress& to = flow.destination;
    if (decision.kind == Destination::Local && router.interfaces().is_own(to)) {
        return " src " + to_string(to);
    }
    if (decision.kind == Destination::Local) {
        return anycast_source(to, router);
    }
    const auto source =
        decision.source.family != Family::None
            ? std::optional(decision.source)
            : router.interfaces().source_for(decision.out, to.is_v4() ? decision.next_hop : to);
    return source ? " src " + to_string(*source) : "";
}

std::string way_text(const routing::Flow& flow, const Decision& decision, const Router& router) {
    const bool own = decision.kind == Destination::Local;
    const bool anycast =
        own && flow.destination.is_v6() && !router.interfaces().is_own(flow.destination);
    std::string text = (anycast ? "anycast " : own ? "local " : "") + to_string(flow.destination);
    if (flow.source.family != Family::None) {
        text += " from " + to_string(flow.source);
    }
    const bool local = decision.kind != Destination::Unicast;
    if (!local && decision.next_hop != flow.destination) {
        text += " via " + to_string(decision.next_hop);
    }
    text += " dev " + (local ? std::string("lo") : router.interfaces().get(decision.out).name);
    if (decision.table != routing::kMainTable && decision.table != 0 && !own) {
        text += " table " + table_name(decision.table);
    }
    if (flow.source.family == Family::None) {
        text += source_text(flow, decision, router);
    }
    if (flow.mark != 0) {
        text += " mark " + std::to_string(flow.mark);
    }
    if (decision.mtu != 0) {
        text += std::string(" mtu ") + (decision.mtu_locked ? "lock " : "") +
                std::to_string(decision.mtu);
    }
    return text + "\n";
}

}  // namespace

IpAnswer get_route(const IpArgs& args, const Router& router) {
    routing::Flow flow = args.question.flow;
    const std::pair<const std::string&, IfIndex&> names[] = {{args.question.in, flow.in},
                                                             {args.question.out, flow.out}};
    for (const auto& [name, index] : names) {
        const routing::Interface* interface = router.interfaces().find(name);
        if (!name.empty() && name != "lo" && interface == nullptr) {
            return {{}, "Cannot find device \"" + name + "\""};
        }
        index = interface == nullptr ? index : interface->index;
    }
    const bool begins_here = flow.in == IfIndex::Loopback;
    if (begins_here && flow.source.is_v4() && !router.interfaces().is_own(flow.source)) {
        return {{}, why_not(Destination::None)};  // kernel: ip_route_output_key_hash_rcu
    }
    const Decision decision = router.routes().lookup(flow);
    const bool to_many =
        decision.kind == Destination::Broadcast || decision.kind == Destination::Multicast;
    if (to_many) {
        const ToMany answer(flow, decision.kind, router);
        return begins_here ? answer.sent() : answer.received();
    }
    return leads_somewhere(decision) ? IpAnswer{way_text(flow, decision, router), {}}
                                     : IpAnswer{{}, why_not(decision.kind)};
}

}  // namespace nsr::router
