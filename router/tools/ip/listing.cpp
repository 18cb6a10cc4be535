// What `ip addr` and `ip link` print, in their words; what a router of one process has
// not (queues, hardware addresses, lifetimes) is left out.
#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {
namespace {

using routing::Interface;

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

}  // namespace nsr::router
