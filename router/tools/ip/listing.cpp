// What `ip addr`, `ip route` and `ip link` print, in their words; what a router of one process has
// not (queues, hardware addresses, lifetimes) is left out.
#include <algorithm>
#include <tuple>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {
namespace {

using routing::Interface;
using routing::Route;
using routing::RouteType;

bool wanted(const IpArgs& args, const Interface& interface) {
    return args.interface.empty() || args.interface == interface.name;
}

bool wanted(const IpArgs& args, const IpAddress& address) {
    return args.family == Family::None || args.family == address.family;
}

std::string link_line(const Interface& interface) {
    return std::to_string(raw(interface.index)) + ": " + interface.name + ": <POINTOPOINT,NOARP" +
           (interface.up ? ",UP,LOWER_UP" : "") + "> mtu " + std::to_string(interface.mtu) +
           " state " + (interface.up ? "UP" : "DOWN") + "\n";
}

std::string address_line(const Interface& interface, const Prefix& own) {
    const bool v4 = own.address.is_v4();
    return std::string("    ") + (v4 ? "inet " : "inet6 ") + to_string(own) + " scope " +
           (own.address.is_link_local() ? "link" : "global") + (v4 ? " " + interface.name : "") +
           "\n";
}

std::string_view type_word(RouteType type) {
    switch (type) {
        case RouteType::Unicast:
            break;
        case RouteType::Blackhole:
            return "blackhole ";
        case RouteType::Prohibit:
            return "prohibit ";
        case RouteType::Unreachable:
            return "unreachable ";
        case RouteType::Throw:
            return "throw ";
    }
    return "";
}

// The address that makes `network` a connected one.
std::string source_in(const Interface& interface, const Prefix& network) {
    const auto& own = interface.addresses;
    const auto at = std::find_if(own.begin(), own.end(), [&](const Prefix& each) {
        return each.length == network.length && each.network() == network;
    });
    return at == own.end() ? std::string() : " src " + to_string(at->address);
}

std::string route_line(const Router& router, const Route& route, bool connected) {
    const bool v4 = route.to.address.is_v4();
    std::string line(type_word(route.type));
    line += route.to.length == 0 ? "default" : to_string(route.to);
    if (route.via) {
        line += " via " + to_string(*route.via);
    }
    if (route.interface != IfIndex::None) {
        const Interface& interface = router.interfaces().get(route.interface);
        line += " dev " + interface.name + (connected ? " proto kernel" : "");
        if (v4 && !route.via) {
            line += " scope link" + (connected ? source_in(interface, route.to) : std::string());
        }
    }
    if (!v4) {
        line += connected ? " metric 256" : " metric 1024";
    }
    return line + "\n";
}

}  // namespace

std::string link_listing(const Router& router, const IpArgs& args) {
    std::string text;
    for (const Interface& interface : router.interfaces().all()) {
        text += wanted(args, interface) ? link_line(interface) : "";
    }
    return text;
}

std::string address_listing(const Router& router, const IpArgs& args) {
    std::string text;
    for (const Interface& interface : router.interfaces().all()) {
        if (!wanted(args, interface)) {
            continue;
        }
        text += link_line(interface);
        for (const Prefix& own : interface.addresses) {
            text += wanted(args, own.address) ? address_line(interface, own) : "";
        }
    }
    return text;
}

// As ip(8), without -6 those of IPv4 only.
std::string route_listing(const Router& router, const IpArgs& args) {
    const Family family = args.family == Family::None ? Family::Ipv4 : args.family;
    struct Line {
        Prefix to;
        bool configured;
        std::string text;
    };
    std::vector<Line> lines;
    const auto add = [&](const std::vector<Route>& routes, bool connected) {
        for (const Route& route : routes) {
            if (route.to.address.family == family) {
                lines.push_back({route.to, !connected, route_line(router, route, connected)});
            }
        }
    };
    add(router.routes().connected(), true);
    add(router.routes().configured(), false);
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
        return std::tie(a.to.address.words, a.to.length, a.configured) <
               std::tie(b.to.address.words, b.to.length, b.configured);
    });
    std::string text;
    const std::string* previous = nullptr;
    for (const Line& line : lines) {  // two addresses of one network make one route
        text += previous != nullptr && *previous == line.text ? "" : line.text;
        previous = &line.text;
    }
    return text;
}

}  // namespace nsr::router
