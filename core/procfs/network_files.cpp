// Interfaces, routes and tables, as net-tools and iptables read them.
#include <algorithm>
#include <bit>
#include <tuple>
#include <vector>

#include "core/procfs/files.hpp"
#include "core/procfs/text.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::procfs {

namespace {

using routing::Interface;
using routing::Route;
using routing::RouteType;

void append_dev_line(std::string& out, const Interface& interface);
std::vector<Route> ipv4_routes(const Router& router);
void append_route_line(std::string& out, const Route& route, const Router& router);
std::string tables_names(const Router& router, Family family);

}  // namespace

// kernel: dev_seq_show
std::string read_dev(const Context& context, Instant /*now*/) {
    std::string out =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
        "drop fifo colls carrier compressed\n";
    for (const Interface& interface : context.router.interfaces().all()) {
        append_dev_line(out, interface);
    }
    return out;
}

// kernel: fib_route_seq_show
std::string read_route(const Context& context, Instant /*now*/) {
    constexpr std::size_t kWidth = 127;
    std::string out;
    text::append_left(
        out,
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow"
        "\tIRTT",
        kWidth);
    out += '\n';
    for (const Route& route : ipv4_routes(context.router)) {
        std::string line;
        append_route_line(line, route, context.router);
        text::append_left(out, line, kWidth);
        out += '\n';
    }
    return out;
}

std::string read_ip_tables_names(const Context& context, Instant /*now*/) {
    return tables_names(context.router, Family::Ipv4);
}

std::string read_ip6_tables_names(const Context& context, Instant /*now*/) {
    return tables_names(context.router, Family::Ipv6);
}

namespace {

// kernel: dev_seq_printf_stats
void append_dev_line(std::string& out, const Interface& interface) {
    const routing::InterfaceCounters& counters = interface.counters;
    constexpr std::uint64_t kNone = 0;
    struct Column {
        std::uint64_t value;
        std::size_t width;
    };
    const Column columns[] = {
        // bytes packets errs drop fifo frame compressed multicast
        {counters.rx_bytes, 7},
        {counters.rx_packets, 7},
        {kNone, 4},
        {counters.rx_dropped, 4},
        {kNone, 4},
        {kNone, 5},
        {kNone, 10},
        {kNone, 9},
        // bytes packets errs drop fifo colls carrier compressed
        {counters.tx_bytes, 8},
        {counters.tx_packets, 7},
        {kNone, 4},
        {counters.tx_dropped, 4},
        {kNone, 4},
        {kNone, 5},
        {kNone, 7},
        {kNone, 10},
    };
    text::append_right(out, interface.name, 6);
    out += ':';
    for (const Column& column : columns) {
        out += ' ';
        text::append(out, column.value, column.width);
    }
    out += '\n';
}

// Connected routes and configured ones of the main table in the order of the kernel's trie: by
// destination, longer prefixes first, then by TOS and metric.
std::vector<Route> ipv4_routes(const Router& router) {
    std::vector<Route> routes;
    for (const Interface& interface : router.interfaces().all()) {
        for (const Prefix& address : interface.addresses) {
            if (interface.up && address.address.is_v4() && address.length < 32) {
                routes.push_back(
                    {.to = address.network(), .via = std::nullopt, .interface = interface.index});
            }
        }
    }
    for (const Route& route : router.routes().configured()) {
        if (route.to.address.is_v4() && route.table == routing::kMainTable) {
            routes.push_back(route);
        }
    }
    std::stable_sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
        const auto key = [](const Route& route) {
            return std::tuple(route.to.address.as_v4(), -int{route.to.length}, -int{route.tos},
                              route.metric);
        };
        return key(a) < key(b);
    });
    routes.erase(std::unique(routes.begin(), routes.end()), routes.end());
    return routes;
}

// kernel: fib_flag_trans
std::uint32_t flags_of(const Route& route) {
    constexpr std::uint32_t kUp = 0x1;
    constexpr std::uint32_t kGateway = 0x2;
    constexpr std::uint32_t kHost = 0x4;
    constexpr std::uint32_t kReject = 0x200;
    const bool reject = route.type == RouteType::Unreachable || route.type == RouteType::Prohibit;
    const bool gateway = route.via || (!route.hops.empty() && route.hops.front().via);
    return kUp | (gateway ? kGateway : 0) | (route.to.length == 32 ? kHost : 0) |
           (reject ? kReject : 0);
}

// The kernel prints addresses as they lie in memory, on a little-endian machine, with %08X.
void append_address(std::string& out, std::uint32_t address) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += kDigits[address >> (shift + 4) & 0xf];
        out += kDigits[address >> shift & 0xf];
    }
}

void append_route_line(std::string& out, const Route& route, const Router& router) {
    // Of several next hops the first.
    const auto via = route.hops.empty() ? route.via : route.hops.front().via;
    const IfIndex interface = route.hops.empty() ? route.interface : route.hops.front().interface;
    const bool through_interface = route.type == RouteType::Unicast;
    out += through_interface ? router.interfaces().get(interface).name : std::string("*");
    out += '\t';
    append_address(out, route.to.address.as_v4());
    out += '\t';
    append_address(out, via ? via->as_v4() : 0);
    out += '\t';
    text::append_hex(out, flags_of(route), 4);
    out += "\t0\t0\t" + std::to_string(route.metric) + "\t";
    append_address(out, mask_of(Family::Ipv4, route.to.length).as_v4());
    out += "\t0\t0\t0";
}

// kernel: xt_table_seq_show
std::string tables_names(const Router& router, Family family) {
    std::string out;
    for (std::size_t i = 0; i < rules::kTableCount; ++i) {
        const auto id = static_cast<rules::TableId>(i);
        if (router.ruleset().table(family, id).loaded) {
            out.append(rules::name_of(id)).append("\n");
        }
    }
    return out;
}

}  // namespace

}  // namespace nsr::procfs
