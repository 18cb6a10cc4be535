#include "router/commands/status_text.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace nsr::router {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
    return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

// "2d 3h", "5m 7s"
std::string duration(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds);
    struct Unit {
        const char* name;
        std::uint64_t seconds;
    };
    constexpr Unit kUnits[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    std::string text;
    std::uint64_t left = whole;
    int shown = 0;
    for (const Unit& unit : kUnits) {
        const std::uint64_t count = left / unit.seconds;
        left %= unit.seconds;
        if (count != 0 && shown < 2) {
            text += (shown == 0 ? "" : " ") + std::to_string(count) + unit.name;
            ++shown;
        }
    }
    return text.empty() ? "0s" : text;
}

// "1.5 MiB"
std::string bytes(const json::value& value) {
    constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    auto number = value.to_number<double>();
    std::size_t unit = 0;
    while (number >= 1024 && unit + 1 < std::size(kUnits)) {
        number /= 1024;
        ++unit;
    }
    char text[48];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", number, kUnits[unit]);
    return text;
}

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, two blanks between them; the first row is the heading.
std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string interfaces_table(const json::array& interfaces) {
    std::vector<Row> rows = {{"INTERFACE", "STATE", "MTU", "NAMESPACE", "RX PACKETS", "RX BYTES",
                              "TX PACKETS", "TX BYTES", "DROPPED", "ADDRESSES"}};
    for (const json::value& interface : interfaces) {
        const json::object& counters = interface.at("counters").as_object();
        const auto dropped = counters.at("rx_dropped").to_number<std::uint64_t>() +
                             counters.at("tx_dropped").to_number<std::uint64_t>();
        std::string addresses;
        for (const json::value& address : interface.at("addresses").as_array()) {
            addresses += (addresses.empty() ? "" : " ") + text_of(address);
        }
        const std::string netns = text_of(interface.at("netns"));
        // The links behind [host] are what limits its packets.
        const bool limited = !interface.at("host").as_bool();
        rows.push_back({text_of(interface.at("name")), interface.at("up").as_bool() ? "up" : "down",
                        limited ? text_of(interface.at("mtu")) : "-", netns.empty() ? "-" : netns,
                        text_of(counters.at("rx_packets")), bytes(counters.at("rx_bytes")),
                        text_of(counters.at("tx_packets")), bytes(counters.at("tx_bytes")),
                        std::to_string(dropped), addresses});
    }
    return table(rows);
}

std::string drops_table(const json::object& drops) {
    std::vector<Row> rows = {{"DROPPED", "REASON"}};
    for (const auto& [reason, count] : drops) {
        rows.push_back({text_of(count), std::string(reason)});
    }
    return rows.size() == 1 ? "nothing dropped\n" : table(rows);
}

}  // namespace

std::string status_text(const json::value& status) {
    const json::value& conntrack = status.at("conntrack");
    std::string text = text_of(status.at("name")) + ": nsrouter " + text_of(status.at("version")) +
                       " (" + text_of(status.at("build")) + "), up " +
                       duration(status.at("uptime_seconds").to_number<double>()) + ", " +
                       text_of(status.at("config")) + "\n";
    text += "conntrack: mode " + text_of(conntrack.at("mode")) + ", ";
    if (conntrack.at("active").as_bool()) {
        text += text_of(conntrack.at("count")) + " of " + text_of(conntrack.at("max")) +
                " entries, " + bytes(conntrack.at("bytes_in_use")) + "\n";
    } else {
        text += "not running: no rule needs it\n";
    }
    return text + "\n" + interfaces_table(status.at("interfaces").as_array()) + "\n" +
           drops_table(status.at("drops").as_object());
}

}  // namespace nsr::router
