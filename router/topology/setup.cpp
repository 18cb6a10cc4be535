#include "router/topology/setup.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "netlink/address.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/route.hpp"
#include "router/topology/device_owner.hpp"

namespace nsr::router {
namespace {

// For bursts that come faster than the router has a turn; the kernel's 500 overflow in
// milliseconds.
constexpr std::uint32_t kQueuePackets = 4096;

const Operation& device_of(const std::vector<Operation>& operations) {
    return *std::find_if(operations.begin(), operations.end(), [](const Operation& operation) {
        return operation.kind == Operation::Kind::Tun;
    });
}

}  // namespace

using Kind = Operation::Kind;

Setup::Setup(const std::string& name, Journal& journal)
    : journal_(journal), namespaces_(name, journal) {
    forget_dead_namespaces();
    std::vector<Undo> left = journal.entries();
    for (; !left.empty(); left.pop_back()) {
        const Undo& undo = left.back();
        const bool names_it = netlink::netns_cookie(undo.operation.netns) == undo.cookie;
        if (undo.operation.kind == Kind::Namespace && names_it) {
            old_uses_.push_back(undo);
        } else {
            take_back_one(undo);
        }
    }
}

Setup::~Setup() {
    take_back_all();
}

void Setup::apply(const Part& part) {
    const auto old = find(part.name);
    if (old != parts_.end()) {
        take_back_device(*old);
    }
    Done done;
    done.name = part.name;
    done.operations = part.operations;
    try {
        for (const Operation& operation : part.operations) {
            carry_out(done, operation);
        }
    } catch (...) {
        take_back(done);
        throw;
    }
    if (old != parts_.end()) {
        take_back(*old);
        *old = std::move(done);
    } else {
        parts_.push_back(std::move(done));
    }
}

void Setup::adjust(const Part& part) {
    const auto done = find(part.name);
    if (done == parts_.end()) {
        throw SystemError("change interface " + part.name, ENODEV, "its device is gone");
    }
    const std::vector<Operation> before = done->operations;
    try {
        exchange(*done, part.operations);
        done->operations = part.operations;
    } catch (...) {
        done->operations = part.operations;  // some of it
        exchange(*done, before);
        done->operations = before;
        throw;
    }
}

void Setup::rename(const std::string& part, const std::string& name) {
    const auto done = find(part);
    if (done != parts_.end()) {
        done->name = name;
    }
}

void Setup::say_that_it_stays(const std::string& what, const std::string& why) {
    stays_.push_back(what + " stays as it is: " + why);
}

void Setup::leave_old_namespaces() {
    while (!old_uses_.empty()) {
        take_back_one(old_uses_.back());
        old_uses_.pop_back();
    }
}

void Setup::take_back(const std::string& part) {
    const auto done = find(part);
    if (done != parts_.end()) {
        take_back(*done);
        parts_.erase(done);
    }
}

void Setup::take_back_all() {
    while (!parts_.empty()) {
        take_back(parts_.back());
        parts_.pop_back();
    }
    leave_old_namespaces();
}

void Setup::change_mtu(const std::string& part, std::uint32_t mtu) {
    const auto done = find(part);
    if (done == parts_.end()) {
        throw SystemError("set the MTU of interface " + part, ENODEV, "its device is gone");
    }
    Operation operation;
    operation.kind = Kind::Mtu;
    operation.netns = done->where.operation.netns;
    operation.device = done->device;
    operation.mtu = mtu;
    set_mtu(*done, operation);
}

netlink::Tun Setup::take_tun(const std::string& part) {
    return std::move(find(part)->tun);
}

std::vector<Setup::Done>::iterator Setup::find(const std::string& part) {
    return std::find_if(parts_.begin(), parts_.end(),
                        [&](const Done& done) { return done.name == part; });
}

// --- forwards -----------------------------------------------------------------------------------

void Setup::carry_out(Done& part, const Operation& operation) {
    switch (operation.kind) {
        case Kind::Namespace:
            part.where = namespaces_.use(operation.netns);
            part.undos.push_back(part.where);
            break;
        case Kind::LoopbackUp:
            namespaces_.bring_up_loopback(part.where);
            break;
        case Kind::Setting:
            namespaces_.write_setting(part.where, operation);
            break;
        case Kind::Tun:
            open_device(part, operation);
            break;
        case Kind::Mtu:
            set_mtu(part, operation);
            break;
        case Kind::Address:
            add_address(part, operation);
            break;
        case Kind::Up:
            bring_up(part, operation);
            break;
        case Kind::Route:
            add_route(part, operation);
            break;
    }
}

void Setup::open_device(Done& part, const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    const bool existed = netlink::find_link(socket, operation.device).has_value();
    part.device = operation.device;
    try {
        part.tun = netlink::open_tun(operation.device, operation.offload, operation.queues);
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
        part.made_device = true;
        netlink::quiet_ipv6(operation.device);
        netlink::set_link_queue(socket, operation.device, kQueuePackets);
    }
}

// Nothing needs to be noted about a device that goes when we close it.
void Setup::note(Done& part, const Operation& operation) {
    if (part.made_device) {
        return;
    }
    if (part.where.cookie == 0) {  // the current namespace, which nobody has to use explicitly
        part.where.cookie = netlink::netns_cookie(operation.netns);
    }
    const Undo undo{part.where.cookie, operation};
    journal_.note(undo);
    part.undos.push_back(undo);
}

void Setup::set_mtu(Done& part, const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    const auto link = netlink::find_link(socket, operation.device);
    if (!link || link->mtu == operation.mtu) {
        return;
    }
    Operation before = operation;
    before.mtu = link->mtu;
    note(part, before);
    netlink::set_link_mtu(socket, operation.device, operation.mtu);
}

void Setup::bring_up(Done& part, const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    const auto link = netlink::find_link(socket, operation.device);
    if (!link || !link->up) {
        note(part, operation);
        netlink::set_link_up(socket, operation.device, true);
    }
}

void Setup::add_address(Done& part, const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    if (!netlink::has_address(socket, operation.device, operation.prefix)) {
        note(part, operation);
        netlink::add_address(socket, operation.device, operation.prefix);
    }
}

void Setup::add_route(Done& part, const Operation& operation) {
    const netlink::Enter enter(operation.netns);
    const netlink::Socket socket;
    const netlink::Route route{operation.prefix, operation.via, operation.device};
    const bool there = netlink::has_route(socket, route);
    if (!there) {
        note(part, operation);
    }
    if (there || !netlink::add_route(socket, route)) {
        throw SystemError("set up " + in_words(operation), EEXIST,
                          "the namespace has such a route already");
    }
}

// --- to and fro ---------------------------------------------------------------------------------

// New addresses, then no old routes, then no old addresses (with a first one the kernel takes away
// the others of its network, and routes that need them), then whatever is not there.
void Setup::exchange(Done& part, const std::vector<Operation>& wanted) {
    const std::vector<Operation> before = part.operations;
    const auto is_in = [](const std::vector<Operation>& list, const Operation& operation) {
        return std::find(list.begin(), list.end(), operation) != list.end();
    };
    const auto each = [&](const std::vector<Operation>& list, Kind kind, const auto& action) {
        for (const Operation& operation : list) {
            if (operation.kind == kind) {
                action(operation);
            }
        }
    };
    const auto withdraw_unwanted = [&](const Operation& operation) {
        if (!is_in(wanted, operation)) {
            withdraw(part, operation);
        }
    };
    each(wanted, Kind::Setting, [&](const Operation& set) { carry_out(part, set); });
    each(wanted, Kind::Address, [&](const Operation& address) { carry_out(part, address); });
    each(before, Kind::Route, withdraw_unwanted);
    each(before, Kind::Address, withdraw_unwanted);
    each(wanted, Kind::Address, [&](const Operation& address) { carry_out(part, address); });
    each(wanted, Kind::Mtu, [&](const Operation& mtu) {
        if (!is_in(before, mtu)) {  // else somebody may have changed it since
            carry_out(part, mtu);
        }
    });
    const netlink::Enter enter(device_of(wanted).netns);
    const netlink::Socket socket;
    each(wanted, Kind::Route, [&](const Operation& route) {
        if (!netlink::has_route(socket, {route.prefix, route.via, route.device})) {
            carry_out(part, route);
        }
    });
}

// One thing that the part had made.
void Setup::withdraw(Done& part, const Operation& operation) {
    const auto noted = std::find_if(part.undos.begin(), part.undos.end(),
                                    [&](const Undo& undo) { return undo.operation == operation; });
    if (noted != part.undos.end()) {
        take_back_one(*noted);
        part.undos.erase(noted);
    } else if (part.made_device) {
        router::take_back({netlink::netns_cookie(operation.netns), operation});
    }
}

// --- backwards ----------------------------------------------------------------------------------

void Setup::take_back_device(Done& part) {
    part.tun.descriptor.reset();
    while (!part.undos.empty() && part.undos.back().operation.kind != Kind::Namespace) {
        take_back_one(part.undos.back());
        part.undos.pop_back();
    }
}

void Setup::take_back(Done& part) {
    take_back_device(part);
    while (!part.undos.empty()) {
        take_back_one(part.undos.back());
        part.undos.pop_back();
    }
}

// Whatever one thing says, the rest must still go.
void Setup::take_back_one(const Undo& undo) {
    const std::string& netns = undo.operation.netns;
    try {
        if (undo.operation.kind != Kind::Namespace) {
            router::take_back(undo);
            journal_.strike(undo);
            return;
        }
        const NamespaceUser::Farewell farewell = namespaces_.leave(undo);
        if (farewell.removed) {
            removed_.push_back("namespace " + netns);
        }
        if (!farewell.stays.empty()) {
            stays_.push_back("namespace " + netns + " stays: " + farewell.stays);
        }
    } catch (const SystemError& error) {
        stays_.push_back(in_words(undo.operation) + " stays: " + error.what());
    }
}

}  // namespace nsr::router
