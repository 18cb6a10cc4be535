// `ip route add ...|flush|get` on a running router.
#include <algorithm>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

using routing::Decision;
using routing::Destination;
using routing::Route;
using routing::RouteChange;

std::string no_device(const std::string& name) {
    return "Cannot find device \"" + name + "\"";
}

Result<Route, std::string> route_of(const IpArgs& args, const Router& router, IfIndex interface) {
    Route route = args.route;
    route.to = args.prefix;
    route.via = args.via;
    route.interface = interface;
    for (const HopWords& words : args.hops) {
        const routing::Interface* out = router.interfaces().find(words.interface);
        if (!words.interface.empty() && out == nullptr) {
            return no_device(words.interface);
        }
        route.hops.push_back(
            {words.via, out == nullptr ? IfIndex::None : out->index, words.weight, words.onlink});
    }
    return route;
}

std::string answer_of(RouteChange change, bool v4) {
    switch (change) {
        case RouteChange::Done:
            return {};
        case RouteChange::Exists:
            return "RTNETLINK answers: File exists";
        case RouteChange::BadSource:
            return v4 ? "Error: Invalid prefsrc address." : "Error: Invalid source address.";
        case RouteChange::Missing:
            return v4 ? "RTNETLINK answers: No such file or directory"
                      : "Error: Can not replace route - no match found.";
        case RouteChange::Unreachable:
            break;
    }
    return v4 ? "Error: Nexthop has invalid gateway." : "RTNETLINK answers: No route to host";
}

RouteChange carry_out(IpAction action, const Route& route, Router& router) {
    switch (action) {
        case IpAction::RouteAppend:
            return router.append_route(route);
        case IpAction::RouteReplace:
            return router.replace_route(route);
        case IpAction::RouteChange:
            return router.change_route(route);
        default:
            return router.add_route(route);
    }
}

// As ip(8), which looks at the next hop of a route that has one.
bool leads(const Route& route, const std::optional<IpAddress>& via, IfIndex interface) {
    return (!via || route.via == via) &&
           (interface == IfIndex::None || route.interface == interface);
}

bool is_within(const RouteSelection& selection, const Prefix& to) {
    if (!selection.to) {
        return true;
    }
    const Prefix& wanted = *selection.to;
    switch (selection.by) {
        case RouteSelection::By::Exact:
            return to == wanted;
        case RouteSelection::By::Root:
            return to.length >= wanted.length && wanted.contains(to.address);
        case RouteSelection::By::Match:
            return to.length <= wanted.length && to.contains(wanted.address);
    }
    return false;
}

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

// The address that the router would send from; empty: it has none.
std::string source_text(const routing::Flow& flow, const Decision& decision, const Router& router) {
    const IpAddress& to = flow.destination;
    if (decision.kind == Destination::Local) {
        return " src " + to_string(to);
    }
    const auto source =
        decision.source.family != Family::None
            ? std::optional(decision.source)
            : router.interfaces().source_for(decision.out, to.is_v4() ? decision.next_hop : to);
    return source ? " src " + to_string(*source) : "";
}

std::string way_text(const routing::Flow& flow, const Decision& decision, const Router& router) {
    const bool own = decision.kind == Destination::Local;
    std::string text = (own ? "local " : "") + to_string(flow.destination);
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

std::string change_route(const IpArgs& args, Router& router, IfIndex interface) {
    const auto route = route_of(args, router, interface);
    if (!route) {
        return route.error();
    }
    if (args.action == IpAction::RouteDel) {
        return router.remove_route(*route) ? "" : "RTNETLINK answers: No such process";
    }
    return answer_of(carry_out(args.action, *route, router), args.prefix.address.is_v4());
}

bool is_selected(const Route& route, const IpArgs& args, IfIndex interface) {
    const RouteSelection& selection = args.selection;
    const Family family = args.family == Family::None ? Family::Ipv4 : args.family;
    return (route.to.address.family == family ||
            (args.family == Family::None && !selection.table)) &&
           is_within(selection, route.to) && leads(route, selection.via, interface) &&
           (!selection.table || *selection.table == route.table) &&
           (!selection.type || *selection.type == route.type);
}

void flush_routes(const IpArgs& args, Router& router, IfIndex interface) {
    std::vector<Route> meant;
    for (const auto* routes : {&router.routes().connected(), &router.routes().configured()}) {
        std::copy_if(routes->begin(), routes->end(), std::back_inserter(meant),
                     [&](const Route& route) { return is_selected(route, args, interface); });
    }
    for (const Route& route : meant) {
        static_cast<void>(router.remove_route(route));
    }
}

IpAnswer get_route(const IpArgs& args, const Router& router) {
    routing::Flow flow = args.question.flow;
    const std::pair<const std::string&, IfIndex&> names[] = {{args.question.in, flow.in},
                                                             {args.question.out, flow.out}};
    for (const auto& [name, index] : names) {
        const routing::Interface* interface = router.interfaces().find(name);
        if (!name.empty() && name != "lo" && interface == nullptr) {
            return {{}, no_device(name)};
        }
        index = interface == nullptr ? index : interface->index;
    }
    const bool begins_here = flow.in == IfIndex::Loopback;
    if (begins_here && flow.source.is_v4() && !router.interfaces().is_own(flow.source)) {
        return {{}, why_not(Destination::None)};  // kernel: ip_route_output_key_hash_rcu
    }
    const Decision decision = router.routes().lookup(flow);
    const bool leads = leads_somewhere(decision) || decision.kind == Destination::Broadcast ||
                       decision.kind == Destination::Multicast;
    return leads ? IpAnswer{way_text(flow, decision, router), {}}
                 : IpAnswer{{}, why_not(decision.kind)};
}

}  // namespace nsr::router
