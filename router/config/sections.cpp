#include "router/config/sections.hpp"

#include <algorithm>

#include "core/base/plain_number.hpp"
#include "core/base/printable.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kMaxSocketPath = 107;    // sun_path, without its end
constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ, without its end

// kernel: dev_valid_name; a name with % is a pattern for it, dev_alloc_name
bool is_interface_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.size() <= kMaxInterfaceName &&
           name.find_first_of("/:+!% ") == std::string_view::npos && printable(name) == name;
}

void listen_address(Section& section, ControlConfig& control);
void read_events(Section& section, ControlConfig& control);
bool read_port(std::string_view text, std::uint16_t& port);
void interface_name(Section& section, std::string_view key, std::string& into);
void netns_name(Section& section, std::string& into);
bool is_netns_path(const std::string& text);
bool is_netns_process(const std::string& text);
InterfaceConfig read_interface(Section section);
void read_far_end(Section section, InterfaceConfig& interface);
std::vector<Located<Prefix>> addresses(Section& section);
void host_route(Section& section, const TomlValue& value, InterfaceConfig& interface);

}  // namespace

void read_control(Section section, Config& config) {
    ControlConfig& control = config.control;
    control.where = {config.path, 0, 0};
    if (section.value() != nullptr) {
        control.where = section.where();
    }
    listen_address(section, control);
    control.unix_path = "/run/nsrouter/" + config.name + ".sock";
    if (section.string("unix", control.unix_path) && control.unix_path.size() > kMaxSocketPath) {
        section.fail(
            section.take("unix")->value.where,
            "unix must be a path of at most " + std::to_string(kMaxSocketPath) + " characters");
    }
    netns_name(section, control.netns);
    if (section.string("token", control.token) && control.token.size() < 16) {
        section.fail(section.take("token")->value.where, "token must have 16 characters or more");
    }
    read_events(section, control);
    section.finish();
}

void read_proc(Section section, Config& config) {
    if (const auto format = section.one_of("line_format", {"article", "kernel"})) {
        config.line_format =
            *format == 0 ? procfs::LineFormat::Article : procfs::LineFormat::Kernel;
    }
    constexpr std::int64_t kMostRecords = 1'000'000;
    std::int64_t records = config.records;
    section.integer("records", {0, kMostRecords}, records);
    config.records = static_cast<std::uint32_t>(records);
    section.finish();
}

void read_host(Section section, Config& config) {
    netns_name(section, config.host_netns);
    config.host_where = section.where_of("netns", section.where());
    if (section.value() != nullptr && section.take("netns") == nullptr) {
        section.fail(section.where(), "[host] needs netns = \"NAME\"");
    }
    section.finish();
}

void read_interfaces(Section& root, Config& config) {
    for (const TomlValue* table : root.tables("interface")) {
        config.interfaces.push_back(read_interface(Section(table, "[[interface]]", root.errors())));
    }
}

std::optional<Prefix> read_destination(const Located<std::string>& text, Family family,
                                       ConfigErrors& errors) {
    if (text.value == "default") {
        return Prefix{{{}, family}, 0};
    }
    const std::optional<Prefix> prefix = parse_prefix(text.value);
    if (!prefix) {
        errors.push_back({text.where, "\"" + text.value +
                                          "\" is no destination; write \"default\" or a prefix "
                                          "such as \"10.9.0.0/16\""});
        return std::nullopt;
    }
    if (!(prefix->network() == *prefix)) {
        errors.push_back({text.where, "\"" + text.value + "\" has host bits; the network is \"" +
                                          to_string(prefix->network()) + "\""});
        return std::nullopt;
    }
    return prefix;
}

std::optional<IpAddress> read_gateway(Section& section) {
    std::string text;
    if (!section.string("via", text)) {
        return std::nullopt;
    }
    const std::optional<IpAddress> address = parse_address(text);
    if (!address || address->is_unspecified() || address->is_multicast()) {
        section.fail(section.take("via")->value.where,
                     "via must be the address of a gateway, not \"" + text + "\"");
        return std::nullopt;
    }
    return address;
}

namespace {

void listen_address(Section& section, ControlConfig& control) {
    std::string text;
    if (!section.string("listen", text)) {
        return;
    }
    control.where = section.take("listen")->value.where;
    if (text.empty()) {
        control.address.clear();
        return;
    }
    const std::size_t colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const std::optional<IpAddress> address = parse_address(host);
    std::uint16_t port = 0;
    if (!address || bracketed != address->is_v6() || colon == std::string::npos ||
        !read_port(std::string_view(text).substr(colon + 1), port)) {
        section.fail(control.where,
                     "listen must be \"ADDRESS:PORT\" such as \"127.0.0.1:9080\" or "
                     "\"[::1]:9080\", or \"\" for none, not \"" +
                         text + "\"");
        return;
    }
    control.address = to_string(*address);
    control.port = port;
}

void read_events(Section& section, ControlConfig& control) {
    constexpr std::int64_t kMostEvents = 1'000'000;
    constexpr std::int64_t kMostSeconds = 3600;
    std::int64_t events = control.events;
    std::int64_t linger = control.events_linger;
    section.integer("events", {16, kMostEvents}, events);
    section.integer("events_linger", {0, kMostSeconds}, linger);
    control.events = static_cast<std::uint32_t>(events);
    control.events_linger = static_cast<std::uint32_t>(linger);
}

bool read_port(std::string_view text, std::uint16_t& port) {
    const auto number = plain_number(text);
    if (!number || *number > 0xffff) {
        return false;
    }
    port = static_cast<std::uint16_t>(*number);
    return true;
}

void interface_name(Section& section, std::string_view key, std::string& into) {
    std::string name;
    if (!section.string(key, name)) {
        return;
    }
    // A wrong name is one, so that what refers to it can be judged.
    into = name;
    if (!is_interface_name(name)) {
        section.fail(section.take(key)->value.where,
                     std::string(key) +
                         " must be 1 to 15 printable characters without blanks, '/', ':', "
                         "'+', '!' and '%', not \"" +
                         name + "\"");
    }
}

void netns_name(Section& section, std::string& into) {
    std::string netns;
    if (!section.string("netns", netns)) {
        return;
    }
    if (!is_file_name(netns) && !is_netns_path(netns) && !is_netns_process(netns)) {
        section.fail(section.take("netns")->value.where,
                     "netns must be the name of a namespace as `ip netns` shows it (1 to 64 "
                     "letters, digits, '.', '_' or '-'), a path such as \"/proc/4711/ns/net\", or "
                     "\"pid:4711\", not \"" +
                         netns + "\"");
        return;
    }
    into = netns;
}

bool is_netns_path(const std::string& text) {
    return text.size() < 4096 && text.starts_with('/') &&
           std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return c > ' ' && c < 127; });
}

bool is_netns_process(const std::string& text) {
    constexpr std::string_view kPrefix = "pid:";
    constexpr std::uint64_t kMostProcess = 0x7fffffff;
    if (!text.starts_with(kPrefix)) {
        return false;
    }
    const auto process = plain_number(std::string_view(text).substr(kPrefix.size()));
    return process && *process != 0 && *process <= kMostProcess;
}

InterfaceConfig read_interface(Section section) {
    InterfaceConfig interface;
    interface.where = section.where_of("name", section.where());
    interface_name(section, "name", interface.name);
    if (section.take("name") == nullptr) {
        section.fail(section.where(), "[[interface]] needs name = \"...\"");
    }
    if (interface.name == "lo" || interface.name == "all" || interface.name == "default") {
        section.fail(interface.where, "name \"" + interface.name + "\" is taken: choose another");
    }
    interface.device = interface.name;
    interface_name(section, "device", interface.device);
    interface.device_where = section.where_of("device", interface.where);
    netns_name(section, interface.netns);
    interface.netns_where = section.where_of("netns", interface.where);
    interface.addresses = addresses(section);
    std::int64_t mtu = interface.mtu;
    section.integer("mtu", {68, 65535}, mtu);
    interface.mtu = static_cast<std::uint32_t>(mtu);
    section.boolean("up", interface.up);
    if (const TomlValue* host = section.table("host")) {
        read_far_end(Section(host, "host", section.errors()), interface);
    }
    section.finish();
    return interface;
}

void read_far_end(Section section, InterfaceConfig& interface) {
    interface.host_addresses = addresses(section);
    section.boolean("forwarding", interface.host_forwarding);
    if (const TomlMember* routes = section.take("routes")) {
        if (routes->value.kind != TomlKind::Array) {
            section.wrong_type(*routes, "an array such as [\"default\"]");
        } else {
            for (const TomlValue& route : routes->value.items) {
                host_route(section, route, interface);
            }
        }
    }
    section.finish();
}

std::vector<Located<Prefix>> addresses(Section& section) {
    std::vector<Located<std::string>> texts;
    section.strings("address", texts);
    std::vector<Located<Prefix>> prefixes;
    for (const Located<std::string>& text : texts) {
        const std::optional<Prefix> prefix = parse_prefix(text.value);
        const bool has_length = text.value.find('/') != std::string::npos;
        if (prefix && !has_length) {
            const bool v6 = prefix->address.is_v6();
            section.fail(text.where,
                         "address \"" + text.value + "\" has no prefix length; write \"" +
                             text.value + (v6 ? "/64" : "/24") + "\", or \"" + text.value +
                             (v6 ? "/128" : "/32") + "\" for an address without a subnet");
        } else if (!prefix) {
            section.fail(text.where, "address \"" + text.value +
                                         "\" is malformed; write ADDRESS/LENGTH such as "
                                         "\"10.0.1.1/24\" or \"fd00::1/64\"");
        } else if (prefix->address.is_unspecified() || prefix->address.is_multicast() ||
                   prefix->address.is_limited_broadcast() || prefix->address.is_loopback()) {
            section.fail(text.where, "address \"" + text.value +
                                         "\" cannot be an interface's: a unicast address is "
                                         "needed");
        } else {
            prefixes.push_back({*prefix, text.where});
        }
    }
    return prefixes;
}

void host_route(Section& section, const TomlValue& value, InterfaceConfig& interface) {
    Located<std::string> to{"", value.where};
    std::optional<IpAddress> via;
    if (value.kind == TomlKind::String) {
        to.value = value.text;
    } else if (value.kind == TomlKind::Table) {
        Section route(&value, "a route", section.errors());
        if (!route.string("to", to.value)) {
            section.fail(value.where, "a route needs to = \"PREFIX\"");
        }
        via = read_gateway(route);
        route.finish();
    } else {
        section.fail(value.where,
                     "routes must hold \"default\", prefixes, or { to = ..., via = "
                     "... }");
    }
    if (to.value.empty()) {
        return;
    }
    if (to.value != "default") {
        if (const auto prefix = read_destination(to, Family::Ipv4, section.errors())) {
            interface.host_routes.push_back({*prefix, via, value.where});
        }
        return;
    }
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const bool wanted =
            via ? via->family == family
                : std::any_of(interface.host_addresses.begin(), interface.host_addresses.end(),
                              [&](const auto& a) { return a.value.address.family == family; });
        if (wanted) {
            interface.host_routes.push_back({{{{}, family}, 0}, via, value.where});
        }
    }
}

}  // namespace
}  // namespace nsr::router
