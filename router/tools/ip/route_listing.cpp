// What `ip route` prints, in its words.
#include <algorithm>
#include <tuple>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

using routing::Interface;
using routing::Route;
using routing::RouteType;

// The address that makes `network` a connected one.
std::string source_in(const Interface& interface, const Prefix& network) {
    const auto& own = interface.addresses;
    const auto at = std::find_if(own.begin(), own.end(), [&](const Prefix& each) {
        return each.length == network.length && each.network() == network;
    });
    return at == own.end() ? std::string() : " src " + to_string(at->address);
}

std::string destination_text(const Route& route) {
    const Prefix& to = route.to;
    const bool host = to.length == to.address.bits();
    const std::string prefix = host ? to_string(to.address) : to_string(to);
    const std::string type =
        route.type == RouteType::Unicast ? "" : std::string(name_of(route.type)) + " ";
    return type + (to.length == 0 ? "default" : prefix);
}

std::string hop_text(const Router& router, const routing::NextHop& hop) {
    return "\n\tnexthop" + (hop.via ? " via " + to_string(*hop.via) : std::string()) + " dev " +
           router.interfaces().get(hop.interface).name + " weight " + std::to_string(hop.weight) +
           (hop.onlink ? " onlink" : "") +
           (router.interfaces().get(hop.interface).up ? "" : " dead linkdown");
}

// What was asked for by a word is not repeated in the lines.
struct Shown {
    bool gateway = true;
    bool device = true;
    bool table = true;
};

std::string way_text(const Router& router, const Route& route, bool connected, const Shown& shown) {
    std::string text = route.via && shown.gateway ? " via " + to_string(*route.via) : std::string();
    const bool has_interface = route.interface != IfIndex::None;
    if (has_interface && shown.device) {
        text += " dev " + router.interfaces().get(route.interface).name;
    }
    if (shown.table && route.table != routing::kMainTable) {
        text += " table " + table_name(route.table);
    }
    if (!has_interface) {
        return text;
    }
    const Interface& interface = router.interfaces().get(route.interface);
    text += connected ? " proto kernel" : "";
    if (route.to.address.is_v4() && !route.via) {
        text += " scope link" + (connected ? source_in(interface, route.to) : std::string());
    }
    return text;
}

std::string route_line(const Router& router, const Route& route, bool connected,
                       const Shown& shown) {
    std::string line = destination_text(route);
    line += route.tos == 0 ? "" : " tos " + hexadecimal(route.tos, 2);
    line += way_text(router, route, connected, shown);
    line += route.source ? " src " + to_string(*route.source) : "";
    line += route.metric == 0 ? "" : " metric " + std::to_string(route.metric);
    line += route.onlink ? " onlink" : "";
    if (route.mtu != 0) {
        line +=
            std::string(" mtu ") + (route.mtu_locked ? "lock " : "") + std::to_string(route.mtu);
    }
    for (const routing::NextHop& hop : route.hops) {
        line += hop_text(router, hop);
    }
    return line + "\n";
}

}  // namespace

// As ip(8), without -6 those of IPv4 only. The order is that of the kernel: tables from the lowest
// on, main last; in them by destination, TOS and metric.
std::string route_listing(const Router& router, const IpArgs& args, IfIndex interface) {
    struct Line {
        Route route;
        std::string text;
    };
    const Shown shown{.gateway = !args.selection.via.has_value(),
                      .device = interface == IfIndex::None,
                      .table = !args.selection.table.has_value()};
    std::vector<Line> lines;
    const auto add = [&](const std::vector<Route>& routes, bool connected) {
        for (const Route& route : routes) {
            if (is_selected(route, args, interface)) {
                lines.push_back({route, route_line(router, route, connected, shown)});
            }
        }
    };
    add(router.routes().connected(), true);
    add(router.routes().configured(), false);
    const auto key = [](const Route& route) {
        return std::tuple(route.to.address.family, route.table == routing::kMainTable, route.table,
                          route.to.address.words, route.to.length, -int{route.tos}, route.metric);
    };
    std::stable_sort(lines.begin(), lines.end(),
                     [&](const Line& a, const Line& b) { return key(a.route) < key(b.route); });
    std::string text;
    const std::string* previous = nullptr;
    for (const Line& line : lines) {  // two addresses of one network make one route
        text += previous != nullptr && *previous == line.text ? "" : line.text;
        previous = &line.text;
    }
    return text;
}

}  // namespace nsr::router
