#include "router/tools/conntrack/xml.hpp"

#include <ctime>

namespace nsr::router {
namespace {

using conntrack::Connection;
using conntrack::Tuple;
namespace status = conntrack::status;

std::string xml_direction(const Entry& entry, const Attributes& attributes, Direction direction);
std::string xml_meta(const Entry& entry, const Attributes& attributes,
                     const ConntrackOutput& output);

}  // namespace

std::string element(std::string_view name, std::string_view content) {
    std::string text = "<";
    text.append(name).append(">").append(content).append("</").append(name);
    return text + ">";
}

std::string xml_time(Instant at) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    const std::time_t seconds = at.time_since_epoch().count() / kNanoseconds;
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) {
        return {};
    }
    const auto part = [](const char* name, int value) {
        return element(name, std::to_string(value));
    };
    return element("when", part("hour", local.tm_hour) + part("min", local.tm_min) +
                               part("sec", local.tm_sec) + part("wday", local.tm_wday + 1) +
                               part("day", local.tm_mday) + part("month", local.tm_mon + 1) +
                               part("year", local.tm_year + 1900));
}

std::string xml_flow(std::string_view event) {
    return event.empty() ? "<flow>" : "<flow type=\"" + std::string(event) + "\">";
}

void append_xml(std::string& out, const Entry& entry, const Attributes& attributes,
                const ConntrackOutput& output) {
    out += xml_flow(attributes.event) + xml_direction(entry, attributes, Direction::Original) +
           xml_direction(entry, attributes, Direction::Reply) + "<meta direction=\"independent\">" +
           xml_meta(entry, attributes, output) + "</meta>";
    if (output.timestamp && !attributes.event.empty()) {
        out += xml_time(entry.now);
    }
    if (attributes.helper && entry.helper != conntrack::HelperId::None) {
        out += element("helper", conntrack::helper_info(entry.helper).name);
    }
    out += "</flow>";
}

namespace {

std::string xml_meta(const Entry& entry, const Attributes& attributes,
                     const ConntrackOutput& output) {
    const Connection& connection = entry.connection;
    const std::string_view state = conntrack::state_name(connection);
    std::string out;
    if (attributes.protocol_info && !state.empty()) {
        out += element("state", state);
    }
    out += attributes.timeout ? element("timeout", number(entry.seconds_left())) : "";
    out += attributes.mark ? element("mark", number(connection.mark)) : "";
    if (connection.zone != 0 && entry.zone_is_shared()) {
        out += element("zone", number(connection.zone));
    }
    out += attributes.use != 0 ? element("use", number(attributes.use)) : "";
    out += element("id", number(shown_id(entry)));
    out += connection.has(status::kAssured) ? "<assured/>" : "";
    out += connection.has(status::kSeenReply) ? "" : "<unreplied/>";
    if (attributes.timestamp && entry.extra != nullptr && entry.extra->start_ns != 0) {
        if (output.ktimestamp) {
            const auto stopped = std::to_string(entry.now.time_since_epoch().count());
            out += element("timestamp", element("start", std::to_string(entry.extra->start_ns)) +
                                            (attributes.stop ? element("stop", stopped) : ""));
        }
        out += element("deltatime", std::to_string(entry.age_seconds()));
    }
    return out;
}

std::string xml_direction(const Entry& entry, const Attributes& attributes, Direction direction) {
    const Tuple& tuple = entry.tuple(direction);
    const bool original = direction == Direction::Original;
    std::string out = std::string("<meta direction=\"") + (original ? "original" : "reply") +
                      "\"><layer3 protonum=\"" + number(static_cast<unsigned>(tuple.family())) +
                      "\" protoname=\"" + family_name(entry) + "\">" +
                      element("src", to_string(tuple.source)) +
                      element("dst", to_string(tuple.destination)) + "</layer3>";
    out += "<layer4 protonum=\"" + number(tuple.protocol) + "\" protoname=\"" +
           std::string(protocol_name(tuple.protocol)) + "\">";
    if (ports_of(tuple.protocol) == Ports::Ports) {
        out += element("sport", number(tuple.source_port)) +
               element("dport", number(tuple.destination_port));
    } else if (ports_of(tuple.protocol) == Ports::Icmp) {
        out += element("type", number(tuple.destination_port >> 8)) +
               element("code", number(tuple.destination_port & 0xffu)) +
               element("id", number(tuple.source_port));
    } else if (ports_of(tuple.protocol) == Ports::Keys) {
        out += element("srckey", hex(tuple.source_port)) +
               element("dstkey", hex(tuple.destination_port));
    }
    out += "</layer4>";
    if (entry.connection.zone != 0 && !entry.zone_is_shared() && entry.zone_of(direction) != 0) {
        out += element("zone", number(entry.connection.zone));
    }
    if (attributes.counters && entry.extra != nullptr && entry.extra->counting) {
        const conntrack::Counter& counter = entry.extra->counters[original ? 0 : 1];
        out += element("counters", element("packets", number(counter.packets)) +
                                       element("bytes", number(counter.bytes)));
    }
    return out + "</meta>";
}

}  // namespace

}  // namespace nsr::router
