// `ip route add ...|flush` on a running router.
#include <algorithm>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

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

}  // namespace nsr::router
