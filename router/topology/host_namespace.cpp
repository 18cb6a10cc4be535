#include "router/topology/host_namespace.hpp"

#include <linux/if_addr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "netlink/address.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/setting.hpp"
#include "router/config/config.hpp"

namespace nsr::router {
namespace {

using netlink::Route;
using netlink::Rule;

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

HostNamespace::HostNamespace(std::string netns) : netns_(std::move(netns)) {
    const netlink::Enter enter(netns_);
    const std::string device = std::string("net/ipv4/conf/") + kHostDevice + "/";
    try {
        set(device + "accept_local", "1");
        set(device + "route_localnet", "1");
        set(device + "promote_secondaries", "1");
        set(device + "rp_filter", "0");
        set("net/ipv4/conf/all/rp_filter", "0");  // the larger of both counts
        ask_own_addresses_first();
    } catch (...) {
        undo();
        throw;
    }
}

HostNamespace::~HostNamespace() {
    try {
        const netlink::Enter enter(netns_);
        undo();
    } catch (const SystemError& error) {  // the namespace went before us
        std::fprintf(stderr, "nsrouter: cleaning up: %s\n", error.what());
    }
}

void HostNamespace::set(const std::string& name, const std::string& value) {
    if (const auto before = netlink::write_setting(name, value)) {
        undo_.emplace_back([name, value = *before] { netlink::write_setting(name, value); });
    }
}

// The local table is looked up at 0 and has to make room. What has the source ::1 stays on lo,
// because no device takes it.
void HostNamespace::ask_own_addresses_first() {
    constexpr std::uint32_t kLoopback = 0;
    constexpr std::uint32_t kOwn = 1;
    constexpr std::uint32_t kLocal = 2;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        if (family == Family::Ipv6 && ::access("/proc/sys/net/ipv6", F_OK) != 0) {
            return;  // a kernel without
        }
        add_rule({family, kLocal, RT_TABLE_LOCAL, {}, {}});
        const Rule usual{family, 0, RT_TABLE_LOCAL, {}, {}};
        netlink::remove_rule(netlink::Socket(), usual);
        undo_.emplace_back([usual] { netlink::add_rule(netlink::Socket(), usual); });
        if (family == Family::Ipv6) {
            add_rule({family, kLoopback, RT_TABLE_LOCAL, "lo", IpAddress::v6(0, 0, 0, 1)});
        }
        add_rule({family, kOwn, kOwnAddressTable, "lo", {}});
    }
}

void HostNamespace::add_rule(const Rule& rule) {
    netlink::add_rule(netlink::Socket(), rule);
    undo_.emplace_back([rule] { netlink::remove_rule(netlink::Socket(), rule); });
}

void HostNamespace::follow(HostTables wanted) {
    const netlink::Enter enter(netns_);
    const netlink::Socket socket;
    if (!std::exchange(in_step_, false)) {  // one was killed, or failed half way
        netlink::remove_routes_of(socket, kRouteProtocol);
        given_.routes.clear();
    }
    if (wanted.mtu != given_.mtu) {
        netlink::set_link_mtu(socket, kHostDevice, wanted.mtu);
    }
    follow_addresses(socket, wanted);
    follow_routes(socket, wanted);
    given_ = std::move(wanted);
    in_step_ = true;
}

// Additions first: with its last address the device would lose all its routes.
void HostNamespace::follow_addresses(const netlink::Socket& socket, const HostTables& wanted) {
    for (const Prefix& address : wanted.addresses) {
        if (!contains(given_.addresses, address)) {
            netlink::add_address(socket, kHostDevice, address, IFA_F_NOPREFIXROUTE);
        }
    }
    for (const Prefix& address : given_.addresses) {
        if (!contains(wanted.addresses, address)) {
            netlink::remove_address(socket, kHostDevice, address);
            forget_source(address.address);
        }
    }
}

// With an address go the routes that name it, in IPv6 only the name. kernel: fib_sync_down_addr,
// fib6_remove_prefsrc
void HostNamespace::forget_source(const IpAddress& address) {
    for (Route& route : given_.routes) {
        if (route.source == address) {
            route.source.reset();
        }
    }
}

// Both lists are in the same order.
void HostNamespace::follow_routes(const netlink::Socket& socket, HostTables& wanted) {
    auto old = given_.routes.begin();
    const auto end = given_.routes.end();
    std::erase_if(wanted.routes, [&](const Route& route) {
        for (; old != end && comes_before(*old, route); ++old) {
            netlink::remove_route(socket, *old);
        }
        if (old == end || comes_before(route, *old)) {
            const bool of_another = !netlink::add_route(socket, route);
            return of_another;
        }
        if (*old != route) {
            netlink::replace_route(socket, route);
        }
        ++old;
        return false;
    });
    for (; old != end; ++old) {
        netlink::remove_route(socket, *old);
    }
}

void HostNamespace::undo() {
    for (; !undo_.empty(); undo_.pop_back()) {
        undo_.back()();
    }
    const netlink::Socket socket;
    netlink::remove_routes_of(socket, kRouteProtocol);
    const bool device_stays = netlink::find_link(socket, kHostDevice).has_value();
    for (const Prefix& address : given_.addresses) {
        if (device_stays) {
            netlink::remove_address(socket, kHostDevice, address);
        }
    }
}

}  // namespace nsr::router
