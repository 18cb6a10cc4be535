#include "router/topology/preflight.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <filesystem>

#include "netlink/descriptor.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/route.hpp"
#include "netlink/setting.hpp"
#include "router/base/run_directory.hpp"
#include "router/http/socket_file.hpp"
#include "router/topology/device_owner.hpp"
#include "router/topology/namespaces.hpp"
#include "router/topology/plan.hpp"
#include "router/topology/run_files.hpp"

namespace nsr::router {
namespace {

using Kind = Operation::Kind;

// A part of the plan, and who asks for it; null: [host] or [control].
struct Place {
    const Part& part;
    const InterfaceConfig* interface;
    SourceLocation where;
};

// Of the words that ask for an operation.
SourceLocation where_of(const Operation& operation, const Place& place) {
    if (place.interface == nullptr) {
        return place.where;
    }
    for (const HostRoute& route : place.interface->host_routes) {
        if (operation.kind == Kind::Route && route.to == operation.prefix) {
            return route.where;
        }
    }
    for (const Located<Prefix>& address : place.interface->host_addresses) {
        if (operation.kind == Kind::Address && address.value == operation.prefix) {
            return address.where;
        }
    }
    return place.interface->device_where;
}

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

std::string wrong_device(const netlink::Socket& socket, const Operation& operation) {
    const auto link = netlink::find_link(socket, operation.device);
    if (!link) {
        return {};
    }
    if (link->kind != "tun") {
        return "there is a device " + operation.device + " already, and it is no TUN device";
    }
    const std::string owner = router_with_device(operation.netns, operation.device);
    return owner.empty() ? owner : in_words(operation) + ": the router '" + owner + "' has it open";
}

// Inside the namespace. Empty: nothing is in the way.
std::string wrong_operation(const netlink::Socket& socket, const Operation& operation) {
    if (operation.kind == Kind::Tun) {
        return wrong_device(socket, operation);
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

Place place_of(const Part& part, const Config& config) {
    if (const InterfaceConfig* interface = config.find_interface(part.name)) {
        return {part, interface, interface->netns_where};
    }
    return {part, nullptr, part.name == kHostInterface ? config.host_where : config.control.where};
}

void look_at(const Place& place, Preflight& found) {
    const std::string& netns = place.part.operations.front().netns;
    const auto fail = [&](const SourceLocation& where, const std::string& why) {
        if (!why.empty()) {
            found.obstacles.push_back({where, why});
        }
    };
    fail(place.where, wrong_namespace(netns));
    if (!netlink::netns_exists(netns)) {
        return;  // it will be made, empty
    }
    try {
        const netlink::Enter enter(netns);
        const netlink::Socket socket;
        for (const Operation& operation : place.part.operations) {
            fail(where_of(operation, place), wrong_operation(socket, operation));
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

// What a listener would be told; as for it, connections that are over do not count.
int bind_error(const ControlConfig& control) {
    namespace asio = boost::asio;
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(control.address), control.port);
    const netlink::Descriptor socket(
        ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool bound = socket.valid() && ::bind(socket.get(), endpoint.data(),
                                                static_cast<socklen_t>(endpoint.size())) == 0;
    return bound ? 0 : errno;
}

// Of bind() in the listener's namespace; one that is not there yet has no addresses but loopback.
int bind_error_there(const ControlConfig& control, bool everywhere) {
    if (!netlink::netns_exists(control.netns)) {
        return everywhere ? 0 : EADDRNOTAVAIL;
    }
    const netlink::Enter enter(control.netns);
    return bind_error(control);
}

// Empty: nothing is in the way.
std::string wrong_listener(const ControlConfig& control, const IpAddress& address) {
    switch (bind_error_there(control, address.is_loopback() || address.is_unspecified())) {
        case EADDRNOTAVAIL:
            return "listen " + control.address + ": the namespace has no such address";
        case EADDRINUSE:
            return "listen " + control.address + ": port " + std::to_string(control.port) +
                   " is in use; choose another, or \"\" for none";
        default:
            return {};
    }
}

// Empty: nothing is in the way of the unix socket.
std::string wrong_socket_file(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path();
    if (path.empty() || folder == kRunDirectory) {
        return {};
    }
    std::error_code none;
    if (!std::filesystem::is_directory(folder, none)) {
        return "unix " + path + ": there is no folder " + folder;
    }
    try {
        is_left_socket(path);
    } catch (const SystemError& error) {
        return error.what();
    }
    return {};
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
    if (!address || comes_with_the_router(config, *address)) {
        return;
    }
    try {
        if (const std::string why = wrong_listener(control, *address); !why.empty()) {
            found.obstacles.push_back({control.where, why});
        }
    } catch (const SystemError& error) {
        found.not_known = error.what();
    }
}

// By its lock, as another start would find out; users who may not look at that go by the socket.
bool is_up(const Config& config) {
    if (::access(run_file(config.name, ".pid").c_str(), R_OK) == 0) {
        const RunLock lock;
        return is_running(config.name);
    }
    const std::string& socket = config.control.unix_path;
    return ::access(socket.c_str(), F_OK) == 0 && !is_dead_socket(socket);
}

}  // namespace

Preflight preflight(const Config& config) {
    Preflight found;
    if (is_up(config)) {
        found.not_known = "router '" + config.name + "' is running, on what is there";
        return found;
    }
    for (const Part& part : plan_for(config)) {
        look_at(place_of(part, config), found);
    }
    look_at_listener(config, found);
    if (const std::string why = wrong_socket_file(config.control.unix_path); !why.empty()) {
        found.obstacles.push_back({config.control.where, why});
    }
    if (::access("/dev/net/tun", F_OK) != 0) {
        found.obstacles.push_back({{config.path, 0, 0}, "there is no /dev/net/tun here"});
    }
    if (::geteuid() != 0 && found.not_known.empty()) {
        found.not_known = "run needs root";
    }
    return found;
}

}  // namespace nsr::router
