// [[route]]: a destination, a way, and what else `ip route` says of it.
#include <array>

#include "router/config/sections.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

RouteConfig read_route(Section section);
void read_type(Section& section, RouteConfig& route);
void read_more(Section& section, routing::Route& route);
void read_hops(Section& section, RouteConfig& route);
HopConfig read_hop(Section section);

}  // namespace

void read_routes(Section& root, Config& config) {
    for (const TomlValue* table : root.tables("route")) {
        config.routes.push_back(read_route(Section(table, "[[route]]", root.errors())));
    }
}

namespace {

RouteConfig read_route(Section section) {
    RouteConfig route;
    route.where = section.where();
    route.via = read_gateway(section);
    read_hops(section, route);
    Located<std::string> to;
    if (section.string("to", to.value)) {
        route.where = to.where = section.take("to")->value.where;
        auto gateway = route.via;
        if (!route.hops.empty()) {
            gateway = route.hops.front().via;
        }
        const Family family = gateway ? gateway->family : Family::Ipv4;
        const std::optional<Prefix> prefix = read_destination(to, family, section.errors());
        route.to = prefix.value_or(Prefix{});
        if (prefix && route.via && route.via->family != prefix->address.family) {
            section.fail(section.take("via")->value.where,
                         "via is of another address family than to = \"" + to.value + "\"");
            route.via.reset();
        }
    } else if (section.take("to") == nullptr) {
        section.fail(section.where(), "[[route]] needs to = \"PREFIX\" or \"default\"");
    }
    section.string("interface", route.interface);
    read_type(section, route);
    read_more(section, route.more);
    section.finish();
    return route;
}

void read_type(Section& section, RouteConfig& route) {
    using routing::RouteType;
    constexpr std::array kTypes = {RouteType::Unicast, RouteType::Blackhole, RouteType::Prohibit,
                                   RouteType::Unreachable, RouteType::Throw};
    if (const auto type =
            section.one_of("type", {"unicast", "blackhole", "prohibit", "unreachable", "throw"})) {
        route.type = kTypes[*type];
    } else if (section.take("type") != nullptr) {
        route.type = RouteType::Blackhole;  // reported; nothing else to say about this route
    }
}

// A number, or "main" or "default".
void read_table(Section& section, std::uint32_t& into) {
    const TomlMember* member = section.take("table");
    if (member == nullptr) {
        return;
    }
    const TomlValue& value = member->value;
    const std::string text =
        value.kind == TomlKind::Integer ? std::to_string(value.integer) : value.text;
    const auto table = parse_table(text);
    if (!table || *table == routing::kLocalTable) {
        section.fail(value.where,
                     "table must be \"main\", \"default\" or a number from 1 to 4294967295 (but "
                     "255, the local one)");
        return;
    }
    into = *table;
}

void read_more(Section& section, routing::Route& route) {
    constexpr std::int64_t kMost = 0xffffffff;
    std::int64_t metric = 0;
    std::int64_t tos = 0;
    std::int64_t mtu = 0;
    read_table(section, route.table);
    section.integer("metric", {0, kMost}, metric);
    section.integer("tos", {0, 0x1c}, tos);
    section.integer("mtu", {68, 65535}, mtu);
    section.boolean("mtu_locked", route.mtu_locked);
    section.boolean("onlink", route.onlink);
    route.metric = static_cast<std::uint32_t>(metric);
    route.tos = static_cast<std::uint8_t>(tos);
    route.mtu = static_cast<std::uint32_t>(mtu);
    if ((tos & 3) != 0) {
        section.fail(section.take("tos")->value.where, "tos must be a multiple of 4 up to 28");
    }
    std::string source;
    if (section.string("src", source)) {
        route.source = parse_address(source);
        if (!route.source) {
            section.fail(section.take("src")->value.where,
                         "src must be an address of the router, not \"" + source + "\"");
        }
    }
}

void read_hops(Section& section, RouteConfig& route) {
    const TomlMember* member = section.take("nexthops");
    if (member == nullptr) {
        return;
    }
    if (member->value.kind != TomlKind::Array) {
        section.wrong_type(*member, "an array such as [{ via = \"192.0.2.1\", weight = 2 }]");
        return;
    }
    for (const TomlValue& item : member->value.items) {
        if (item.kind == TomlKind::Table) {
            route.hops.push_back(read_hop(Section(&item, "a next hop", section.errors())));
        } else {
            section.fail(item.where,
                         "nexthops must hold { via = ..., interface = ..., weight = N }");
        }
    }
}

HopConfig read_hop(Section section) {
    HopConfig hop;
    hop.where = section.where();
    hop.via = read_gateway(section);
    section.string("interface", hop.interface);
    std::int64_t weight = 1;
    section.integer("weight", {1, 256}, weight);
    hop.weight = static_cast<std::uint16_t>(weight);
    section.boolean("onlink", hop.onlink);
    section.finish();
    return hop;
}

}  // namespace
}  // namespace nsr::router
