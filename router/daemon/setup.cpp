#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "netlink/address.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/route.hpp"
#include "router/daemon/device_owner.hpp"
#include "router/daemon/plan.hpp"

namespace nsr::router {

namespace {

// For bursts that come faster than the router has a turn; the kernel's 500 overflow in
// milliseconds.
constexpr std::uint32_t kQueuePackets = 4096;

}  // namespace

using Kind = Operation::Kind;

Setup::Setup(const Plan& plan, OwnedNamespaces& owned) : owned_(owned) {
    try {
        for (const Operation& operation : plan) {
            carry_out(operation);
        }
    } catch (...) {
        tuns_.clear();
        undo_all();
        throw;
    }
}

Setup::~Setup() {
    tuns_.clear();
    undo_all();
}

void Setup::carry_out(const Operation& operation) {
    switch (operation.kind) {
        case Kind::Namespace:
            make_namespace(operation);
            break;
        case Kind::LoopbackUp:
            bring_up_loopback(operation.netns);
            break;
        case Kind::Tun:
            open_device(operation);
            break;
        case Kind::Mtu:
            set_mtu(operation);
            break;
        case Kind::Address:
            add_address(operation);
            break;
        case Kind::Up:
            bring_up(operation.netns, operation.device);
            break;
        case Kind::Route:
            add_route(operation);
            break;
    }
}

void Setup::make_namespace(const Operation& operation) {
    if (!owned_.owns(operation.netns)) {
        if (netlink::netns_exists(operation.netns)) {
            return;
        }
        owned_.create(operation.netns);
    }
    undo_.push_back([this, netns = operation.netns] { owned_.remove(netns, made_in(netns)); });
}

std::vector<std::string> Setup::made_in(const std::string& netns) const {
    std::vector<std::string> names;
    for (const DeviceKey& device : made_) {
        if (device.netns == netns) {
            names.push_back(device.device);
        }
    }
    return names;
}

void Setup::open_device(const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    const bool existed = netlink::find_link(socket, operation.device).has_value();
    try {
        tuns_.push_back(netlink::open_tun(operation.device, operation.offload));
    } catch (const SystemError& error) {
        if (error.code() != EBUSY) {
            throw;
        }
        const std::string owner = router_with_device(operation.netns, operation.device);
        throw SystemError("open " + in_words(operation), EBUSY,
                          owner.empty() ? "another program has it open"
                                        : "the router '" + owner + "' has it open");
    }
    if (!existed) {
        made_.push_back({operation.netns, operation.device});
        netlink::quiet_ipv6(operation.device);
        netlink::set_link_queue(socket, operation.device, kQueuePackets);
    }
}

void Setup::change_mtu(const std::string& netns, const std::string& device, std::uint32_t mtu) {
    Operation operation;
    operation.kind = Kind::Mtu;
    operation.netns = netns;
    operation.device = device;
    operation.mtu = mtu;
    set_mtu(operation);
}

void Setup::set_mtu(const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    const auto link = netlink::find_link(socket, operation.device);
    if (link && link->mtu == operation.mtu) {
        return;
    }
    netlink::set_link_mtu(socket, operation.device, operation.mtu);
    if (!made(operation) && link) {
        undo_.push_back([operation, before = link->mtu] {
            const netlink::Enter back(operation.netns);
            netlink::set_link_mtu(netlink::Socket(), operation.device, before);
        });
    }
}

void Setup::bring_up(const std::string& netns, const std::string& device) {
    const netlink::Enter enter(netns);
    const netlink::Socket socket;
    const auto link = netlink::find_link(socket, device);
    if (link && link->up) {
        return;
    }
    netlink::set_link_up(socket, device, true);
    undo_.push_back([netns, device] {
        const netlink::Enter back(netns);
        const netlink::Socket again;
        if (netlink::find_link(again, device)) {
            netlink::set_link_up(again, device, false);
        }
    });
}

// The kernel gives lo its address when it comes up for the first time, and leaves it there.
void Setup::bring_up_loopback(const std::string& netns) {
    Operation address;
    address.kind = Kind::Address;
    address.netns = netns;
    address.device = "lo";
    address.prefix = Prefix{IpAddress::v4(127, 0, 0, 1), 8};
    // Of a namespace that we made nothing is undone: it goes, or others use it by then.
    const std::size_t before = undo_.size();
    add_address(address);
    bring_up(netns, address.device);
    if (owned_.owns(netns)) {
        undo_.resize(before);
    }
}

void Setup::add_address(const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const bool added = netlink::add_address(netlink::Socket(), operation.device, operation.prefix);
    if (added && !made(operation)) {
        undo_.push_back([operation] {
            const netlink::Enter back(operation.netns);
            netlink::remove_address(netlink::Socket(), operation.device, operation.prefix);
        });
    }
}

void Setup::add_route(const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Route route{operation.prefix, operation.via, operation.device};
    if (!netlink::add_route(netlink::Socket(), route)) {
        throw SystemError("set up " + in_words(operation), EEXIST,
                          "the namespace has such a route already");
    }
    if (!made(operation)) {
        undo_.push_back([netns = operation.netns, route] {
            const netlink::Enter back(netns);
            netlink::remove_route(netlink::Socket(), route);
        });
    }
}

bool Setup::made(const Operation& operation) const {
    return std::find(made_.begin(), made_.end(), DeviceKey{operation.netns, operation.device}) !=
           made_.end();
}

void Setup::undo_all() {
    while (!undo_.empty()) {
        const auto undo = std::move(undo_.back());
        undo_.pop_back();
        try {
            undo();
        } catch (const SystemError& error) {
            // What somebody else has removed meanwhile needs no undoing; the rest must still go.
            if (error.code() != ENODEV && error.code() != ENOENT) {
                std::fprintf(stderr, "nsrouter: cleaning up: %s\n", error.what());
            }
        }
    }
}

}  // namespace nsr::router
