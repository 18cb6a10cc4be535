#include "router/tools/ip/command.hpp"

#include <algorithm>

#include "core/pipeline/router.hpp"

namespace nsr::router {
namespace {

constexpr std::uint32_t kIpv6LeastMtu = 1280;  // RFC 8200

std::string add_address(const IpArgs& args, Router& router, IfIndex interface);
std::string remove_address(const IpArgs& args, Router& router, IfIndex interface, Instant now);
std::string refuse_link(const IpArgs& args, const routing::Interface& interface);
void set_link(const IpArgs& args, Router& router, IfIndex interface, Instant now);

}  // namespace

IpAnswer run_ip(const IpArgs& args, Router& router, Instant now, const ChangeLink& change_link) {
    const routing::Interface* interface = router.interfaces().find(args.interface);
    if (!args.interface.empty() && interface == nullptr) {
        return {{}, "Cannot find device \"" + args.interface + "\""};
    }
    const IfIndex index = interface == nullptr ? IfIndex::None : interface->index;
    switch (args.action) {
        case IpAction::AddressAdd:
            return {{}, add_address(args, router, index)};
        case IpAction::AddressDel:
            return {{}, remove_address(args, router, index, now)};
        case IpAction::RouteAdd:
        case IpAction::RouteAppend:
        case IpAction::RouteReplace:
        case IpAction::RouteChange:
        case IpAction::RouteDel:
            return {{}, change_route(args, router, index)};
        case IpAction::RouteFlush:
            flush_routes(args, router, index);
            return {};
        case IpAction::RouteGet:
            return get_route(args, router);
        case IpAction::RuleAdd:
        case IpAction::RuleDel:
        case IpAction::RuleFlush:
            return {{}, change_rule(args, router)};
        case IpAction::RuleShow:
            return {rule_listing(router, args), {}};
        case IpAction::LinkSet:
            if (std::string wrong = refuse_link(args, *interface); !wrong.empty()) {
                return {{}, wrong};
            }
            if (change_link) {
                change_link(args);
            }
            set_link(args, router, index, now);
            return {};
        case IpAction::AddressShow:
            return {address_listing(router, args), {}};
        case IpAction::RouteShow:
            return {route_listing(router, args, index), {}};
        case IpAction::LinkShow:
            return {link_listing(router, args), {}};
    }
    return {};
}

namespace {

std::string family_name(const IpArgs& args) {
    return args.prefix.address.is_v4() ? "ipv4" : "ipv6";
}

std::string add_address(const IpArgs& args, Router& router, IfIndex interface) {
    if (const IfIndex owner = router.interfaces().owner_of(args.prefix.address);
        owner != IfIndex::None && owner != interface) {
        return "Error: " + family_name(args) + ": Address already assigned to " +
               router.interfaces().get(owner).name + ".";
    }
    if (args.prefix.address.is_v6() && router.interfaces().get(interface).ipv6_disabled) {
        return "Error: ipv6: IPv6 is disabled on this device.";
    }
    return router.add_address(interface, args.prefix)
               ? ""
               : "Error: " + family_name(args) + ": Address already assigned.";
}

std::string remove_address(const IpArgs& args, Router& router, IfIndex interface, Instant now) {
    Prefix address = args.prefix;
    const auto& own = router.interfaces().get(interface).addresses;
    const auto same = std::find_if(own.begin(), own.end(), [&](const Prefix& each) {
        return each.address == address.address;
    });
    if (args.any_length && same != own.end()) {
        address = *same;
    }
    return router.remove_address(interface, address, now)
               ? ""
               : "Error: " + family_name(args) + ": Address not found.";
}

std::string refuse_link(const IpArgs& args, const routing::Interface& interface) {
    const auto& own = interface.addresses;
    const bool ipv6 = std::any_of(own.begin(), own.end(),
                                  [](const Prefix& each) { return each.address.is_v6(); });
    return ipv6 && args.mtu && *args.mtu < kIpv6LeastMtu
               ? "Error: mtu of " + interface.name + " must be at least " +
                     std::to_string(kIpv6LeastMtu) + " while it has an IPv6 address."
               : "";
}

void set_link(const IpArgs& args, Router& router, IfIndex interface, Instant now) {
    if (args.mtu) {
        router.set_mtu(interface, *args.mtu);
    }
    if (args.up) {
        router.set_up(interface, *args.up, now);
    }
}

}  // namespace

}  // namespace nsr::router
