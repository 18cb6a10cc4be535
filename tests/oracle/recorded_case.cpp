#include "tests/oracle/recorded_case.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "router/capture/pcapng.hpp"
#include "router/config/toml.hpp"

namespace oracle {
namespace {

using nsr::router::TomlMember;
using nsr::router::TomlValue;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const TomlValue* value(const TomlValue& table, const char* key) {
    const TomlMember* member = table.find(key);
    return member == nullptr ? nullptr : &member->value;
}

std::vector<std::string> strings(const TomlValue* array) {
    std::vector<std::string> texts;
    for (const TomlValue& item : array == nullptr ? std::vector<TomlValue>{} : array->items) {
        texts.push_back(item.text);
    }
    return texts;
}

double number(const TomlValue* value, double fallback) {
    return value == nullptr ? fallback : value->number;
}

bool flag(const TomlValue* value, bool fallback) {
    return value == nullptr ? fallback : value->boolean;
}

nsr::IpAddress address(const std::string& text) {
    const auto parsed = nsr::parse_address(text.substr(0, text.find('/')));
    if (!parsed) {
        throw std::runtime_error("no address: " + text);
    }
    return *parsed;
}

unsigned protocol(const TomlValue& value) {
    constexpr std::pair<const char*, unsigned> kNames[] = {
        {"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}, {"sctp", 132}, {"udplite", 136}};
    for (const auto& [name, number] : kNames) {
        if (value.text == name) {
            return number;
        }
    }
    return static_cast<unsigned>(value.integer);
}

PortAgnostic port_agnostic(const TomlValue& table) {
    PortAgnostic spec;
    spec.protocol = protocol(*value(table, "proto"));
    spec.address = address(value(table, "addr")->text);
    spec.min = static_cast<unsigned>(number(value(table, "min"), 1));
    spec.max = static_cast<unsigned>(number(value(table, "max"), 65535));
    spec.keep = flag(value(table, "keep"), true);
    spec.per_peer = flag(value(table, "per_peer"), true);
    return spec;
}

void read_hints(const TomlValue& table, Hints& hints) {
    for (const std::string& text : strings(value(table, "router_addresses"))) {
        hints.router_addresses.insert(address(text));
    }
    for (const std::string& name : strings(value(table, "ignore_stats"))) {
        hints.ignored_stats.insert(name);
    }
    hints.timeout_tolerance = number(value(table, "timeout_tolerance"), hints.timeout_tolerance);
    hints.timer_tolerance = number(value(table, "timer_tolerance"), hints.timer_tolerance);
    hints.count_tolerance = static_cast<std::size_t>(number(value(table, "count_tolerance"), 0));
    if (const TomlValue* mode = value(table, "conntrack")) {
        hints.conntrack = mode->text;
    }
    hints.unordered = flag(value(table, "unordered"), false);
    hints.ignore_error_src = flag(value(table, "ignore_error_src"), false);
    hints.ignore_ip_id = flag(value(table, "ignore_ip_id"), false);
    if (const TomlValue* specs = value(table, "port_agnostic")) {
        for (const TomlValue& spec : specs->items) {
            hints.port_agnostic.push_back(port_agnostic(spec));
        }
    }
}

std::vector<Departure> read_capture(const std::string& path) {
    std::istringstream in(read_file(path));
    nsr::router::PcapngReader reader(in);
    nsr::router::Frame frame;
    std::vector<Departure> packets;
    while (reader.next(frame)) {
        packets.push_back({static_cast<double>(frame.time_ns) * 1e-9,
                           std::string(frame.interface),
                           {frame.bytes.begin(), frame.bytes.end()},
                           std::string(frame.comment)});
    }
    if (!reader.error().empty()) {
        throw std::runtime_error(path + ": " + reader.error());
    }
    return packets;
}

}  // namespace

RecordedCase load_case(const std::string& folder) {
    const std::string path = folder + "/case.toml";
    const auto tree = nsr::router::parse_toml(read_file(path), path);
    if (!tree) {
        throw std::runtime_error(to_string(tree.error()[0]));
    }
    RecordedCase recorded;
    recorded.description = value(*tree, "description")->text;
    for (const TomlValue& interface : value(*tree, "interface")->items) {
        recorded.interfaces.push_back(value(interface, "name")->text);
        for (const std::string& text : strings(value(interface, "addresses"))) {
            recorded.hints.router_addresses.insert(address(text));
        }
    }
    if (const TomlValue* hints = value(*tree, "compare")) {
        read_hints(*hints, recorded.hints);
    }
    recorded.departures = read_capture(folder + "/expect.pcapng");
    for (Departure& arrival : read_capture(folder + "/in.pcapng")) {
        recorded.arrivals.push_back(std::move(arrival.bytes));
    }
    recorded.conntrack = read_file(folder + "/expect.conntrack");
    recorded.stats = read_file(folder + "/expect.stats");
    if (std::filesystem::exists(folder + "/expect.events")) {
        recorded.events = read_file(folder + "/expect.events");
    }
    for (const std::string& tag : strings(value(*tree, "tags"))) {
        recorded.late_ends = recorded.late_ends || tag == "slow" || tag == "expiry";
    }
    return recorded;
}

}  // namespace oracle
