#include "router/commands/status_text.hpp"

#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "router/commands/text_table.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

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

std::string interfaces_table(const json::array& interfaces) {
    std::vector<TextRow> rows = {{"INTERFACE", "STATE", "MTU", "NAMESPACE", "RX PACKETS",
                                  "RX BYTES", "TX PACKETS", "TX BYTES", "DROPPED", "ADDRESSES"}};
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
    return text_table(rows);
}

// "0.84 ms"
std::string milliseconds(const json::value& microseconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f ms", microseconds.to_number<double>() / 1000);
    return text;
}

// What the loop did at one go, and how long packets may have waited for it.
std::string loop_line(const json::object& loop) {
    std::string text = "longest turns:";
    for (const char* kind : {"packets", "timers", "control"}) {
        const json::value& turns = loop.at(kind);
        text += (text.back() == ':' ? " " : ", ") + std::string(kind) + " " +
                milliseconds(turns.at("longest_us"));
        if (const std::string over = text_of(turns.at("over_1ms")); over != "0") {
            text += " (" + over + " over 1 ms)";
        }
    }
    return text + "; without waiting for the processor: timers " +
           milliseconds(loop.at("timers_cpu").at("longest_us")) + ", control " +
           milliseconds(loop.at("control_cpu").at("longest_us")) + "\n";
}

// How waiting awake for packets ended.
std::string spins_line(const json::value& status) {
    const json::object& spins = status.at("spins").as_object();
    std::string text = "spin " + text_of(status.at("spin")) + ", coalesce " +
                       (status.at("coalesce").as_bool() ? "on" : "off") + "; spins ended by:";
    for (const auto& [end, count] : spins) {
        text += (text.back() == ':' ? " " : ", ") + std::string(end) + " " + text_of(count);
    }
    return text + "\n";
}

// Only where it is not as it is by itself.
std::string ring_line(const json::value& ring) {
    if (ring.at("in_use").as_bool()) {
        return {};
    }
    const std::string refused = text_of(ring.at("refused"));
    return "a system call for each frame: " +
           (refused.empty() ? "[router] ring = false" : refused) + "\n";
}

// "2 shards with 120, 118 connections; handed over 14 packets, 0 lost"; nothing of one alone.
std::string shards_line(const json::array& shards) {
    if (shards.empty()) {
        return {};
    }
    std::string connections;
    std::uint64_t handed_over = 0;
    std::uint64_t lost = 0;
    for (const json::value& shard : shards) {
        connections += (connections.empty() ? "" : ", ") + text_of(shard.at("connections"));
        handed_over += shard.at("handed_over").to_number<std::uint64_t>();
        lost += shard.at("lost").to_number<std::uint64_t>();
    }
    return std::to_string(shards.size()) + " shards with " + connections +
           " connections; handed over " + std::to_string(handed_over) + " packets, " +
           std::to_string(lost) + " lost\n";
}

// ", +120 a minute, full in 2h 3m"
std::string pressure(const json::object& conntrack) {
    std::string text;
    if (const json::value* growth = conntrack.if_contains("growth_per_minute")) {
        const auto a_minute = growth->to_number<std::int64_t>();
        text += a_minute == 0
                    ? ""
                    : (a_minute > 0 ? ", +" : ", ") + std::to_string(a_minute) + " a minute";
    }
    if (const json::value* full = conntrack.if_contains("full_in_seconds")) {
        const auto seconds = full->to_number<double>();
        text += seconds < 1 ? ", full" : ", full in " + duration(seconds);
    }
    return text;
}

std::string drops_table(const json::object& drops) {
    std::vector<TextRow> rows = {{"DROPPED", "REASON"}};
    for (const auto& [reason, count] : drops) {
        rows.push_back({text_of(count), std::string(reason)});
    }
    return rows.size() == 1 ? "nothing dropped\n" : text_table(rows);
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
        const std::string most = text_of(conntrack.at("max"));
        text += text_of(conntrack.at("count")) +
                (most == "0" ? " entries, no limit, " : " of " + most + " entries, ") +
                bytes(conntrack.at("bytes_in_use")) + pressure(conntrack.as_object()) + "\n";
    } else {
        text += "not running: no rule needs it\n";
    }
    text += loop_line(status.at("loop").as_object());
    text += spins_line(status);
    text += ring_line(status.at("ring"));
    text += shards_line(status.at("shards").as_array());
    return text + "\n" + interfaces_table(status.at("interfaces").as_array()) + "\n" +
           drops_table(status.at("drops").as_object());
}

}  // namespace nsr::router
