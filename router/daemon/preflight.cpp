#include "router/daemon/preflight.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>

#include "netlink/descriptor.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/route.hpp"
#include "netlink/setting.hpp"
#include "router/base/run_directory.hpp"
#include "router/control/socket_file.hpp"
#include "router/daemon/namespaces.hpp"
#include "router/daemon/plan.hpp"

namespace nsr::router {
namespace {

using Kind = Operation::Kind;

struct Place {
    const Part& part;
    SourceLocation where;
};

// Empty: nothing is wrong with the namespace itself.
std::string wrong_namespace(const std::string& netns) {
    if (netlink::netns_exists(netns)) {
        return {};
    }
    if (!netlink::valid_netns_name(netns)) {
        return no_such_namespace(netns);
    }
    if (netlink::is_empty_netns_name(netns)) {
        return name_without_namespace(netns);
    }
    return {};
}

// Inside the namespace. Empty: nothing is in the way.
std::string wrong_operation(const netlink::Socket& socket, const Operation& operation) {
    if (operation.kind == Kind::Tun) {
        const auto link = netlink::find_link(socket, operation.device);
        if (link && link->kind != "tun") {
            return "there is a device " + operation.device + " already, and it is no TUN device";
        }
    }
    if (operation.kind == Kind::Route &&
        netlink::has_route(socket, {operation.prefix, operation.via, operation.device})) {
        return "the namespace has a route to " + to_string(operation.prefix) + " already";
    }
    const bool v6 = operation.kind == Kind::Address && operation.prefix.address.is_v6();
    if (v6 && netlink::read_setting("net/ipv6/conf/default/disable_ipv6").value_or("1") != "0") {
        return "the namespace has no IPv6 (net.ipv6.conf.default.disable_ipv6)";
    }
    return {};
}

void look_at(const Place& place, Preflight& found) {
    const std::string& netns = place.part.operations.front().netns;
    const auto fail = [&](const std::string& why) {
        if (!why.empty()) {
            found.obstacles.push_back({place.where, why});
        }
    };
    fail(wrong_namespace(netns));
    if (!netlink::netns_exists(netns)) {
        return;  // it will be made, empty
    }
    try {
        const netlink::Enter enter(netns);
        const netlink::Socket socket;
        for (const Operation& operation : place.part.operations) {
            fail(wrong_operation(socket, operation));
        }
    } catch (const SystemError& error) {
        found.not_known = error.what();
    }
}

// An address that is not there yet comes with an interface.
bool comes_with_the_router(const Config& config, const IpAddress& address) {
    const auto holds = [&](const std::vector<Located<Prefix>>& list) {
        return std::any_of(list.begin(), list.end(),
                           [&](const auto& each) { return each.value.address == address; });
    };
    return std::any_of(
        config.interfaces.begin(), config.interfaces.end(), [&](const InterfaceConfig& interface) {
            return (interface.netns == config.control.netns && holds(interface.host_addresses)) ||
                   (config.host_netns == config.control.netns && holds(interface.addresses));
        });
}

// Whether it can be bound to; in use counts, for it may be this router that runs.
bool is_here(const std::string& text) {
    namespace asio = boost::asio;
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(text), 0);
    const netlink::Descriptor socket(
        ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return !socket.valid() ||
           ::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 ||
           errno != EADDRNOTAVAIL;
}

bool is_lo_up() {
    const auto link = netlink::find_link(netlink::Socket(), "lo");
    return link && link->up;
}

void look_at_listener(const Config& config, Preflight& found) {
    const ControlConfig& control = config.control;
    const auto address = parse_address(control.address);
    // lo is brought up in every namespace but the current one.
    if (address && address->is_loopback() && control.netns.empty() && !is_lo_up()) {
        found.obstacles.push_back(
            {control.where, "listen " + control.address + ": lo is down in this namespace"});
    }
    if (!address || address->is_loopback() || address->is_unspecified() ||
        comes_with_the_router(config, *address)) {
        return;
    }
    bool here = false;
    try {
        if (netlink::netns_exists(control.netns)) {
            const netlink::Enter enter(control.netns);
            here = is_here(control.address);
        }
    } catch (const SystemError& error) {
        found.not_known = error.what();
        return;
    }
    if (!here) {
        found.obstacles.push_back(
            {control.where, "listen " + control.address + ": the namespace has no such address"});
    }
}

bool is_running(const Config& config) {
    const std::string socket = socket_path(config.name);
    return ::access(socket.c_str(), F_OK) == 0 && !is_dead_socket(socket);
}

}  // namespace

Preflight preflight(const Config& config) {
    Preflight found;
    if (is_running(config)) {
        found.not_known = "router '" + config.name + "' is running, on what is there";
        return found;
    }
    for (const Part& part : plan_for(config)) {
        const InterfaceConfig* interface = config.find_interface(part.name);
        SourceLocation where = config.control.where;
        if (interface != nullptr) {
            where = interface->where;
        }
        look_at({part, where}, found);
    }
    look_at_listener(config, found);
    if (::access("/dev/net/tun", F_OK) != 0) {
        found.obstacles.push_back({{config.path, 0, 0}, "there is no /dev/net/tun here"});
    }
    if (::geteuid() != 0 && found.not_known.empty()) {
        found.not_known = "run needs root";
    }
    return found;
}

}  // namespace nsr::router
