#include "router/tools/conntrack/plain.hpp"

#include <array>
#include <ctime>

namespace nsr::router {
namespace {

using conntrack::Tuple;
namespace status = conntrack::status;

void append_protocol(std::string& out, const Entry& entry, const Attributes& attributes);
void append_tuple(std::string& out, const Entry& entry, Direction direction, bool counters);
void append_date(std::string& out, std::string_view name, std::int64_t nanoseconds);

}  // namespace

void append_plain(std::string& out, const Entry& entry, const Attributes& attributes,
                  const ConntrackOutput& output) {
    const conntrack::Connection& connection = entry.connection;
    if (output.extended) {
        out +=
            family_name(entry) + ("     " + number(static_cast<unsigned>(connection.family))) + " ";
    }
    append_protocol(out, entry, attributes);
    append_tuple(out, entry, Direction::Original, attributes.counters);
    if (!connection.has(status::kSeenReply)) {
        out += "[UNREPLIED] ";
    }
    append_tuple(out, entry, Direction::Reply, attributes.counters);
    if (connection.has(status::kAssured)) {
        out += "[ASSURED] ";
    }
    if (attributes.mark) {
        out += "mark=" + number(connection.mark) + " ";
    }
    if (connection.zone != 0 && entry.zone_is_shared()) {
        out += "zone=" + number(connection.zone) + " ";
    }
    if (attributes.timestamp && entry.extra != nullptr && entry.extra->start_ns != 0) {
        out += "delta-time=" + number(static_cast<std::uint64_t>(entry.age_seconds())) + " ";
        if (output.ktimestamp) {
            append_date(out, "start", entry.extra->start_ns);
            if (attributes.stop) {
                append_date(out, "stop", entry.now.time_since_epoch().count());
            }
        }
    }
    if (attributes.helper && entry.helper != conntrack::HelperId::None) {
        out += "helper=" + std::string(conntrack::helper_info(entry.helper).name) + " ";
    }
}

namespace {

void append_protocol(std::string& out, const Entry& entry, const Attributes& attributes) {
    const conntrack::Connection& connection = entry.connection;
    std::string name(protocol_name(connection.protocol));
    name.resize(std::max<std::size_t>(name.size(), 8), ' ');
    out += name + " " + number(connection.protocol) + " ";
    if (attributes.timeout) {
        out += number(entry.seconds_left()) + " ";
    }
    const std::string_view state = conntrack::state_name(connection);
    if (attributes.protocol_info && !state.empty()) {
        out.append(state) += ' ';
    }
}

void append_tuple(std::string& out, const Entry& entry, Direction direction, bool counters) {
    const Tuple tuple = entry.tuple(direction);
    const bool original = direction == Direction::Original;
    out += "src=" + to_string(tuple.source) + " dst=" + to_string(tuple.destination) + " ";
    std::array<char, conntrack::kPortsTextBytes> ports;
    out.append(ports.data(), conntrack::write_ports(ports.data(), ports_of(tuple.protocol),
                                                    tuple.source_port, tuple.destination_port));
    if (entry.extra == nullptr) {
        return;
    }
    const bool counts = original ? entry.extra->zone_original : entry.extra->zone_reply;
    if (counts && !entry.zone_is_shared()) {
        out += (original ? "zone-orig=" : "zone-reply=") + number(entry.connection.zone) + " ";
    }
    if (entry.extra->counting && counters) {
        const conntrack::Counter& counter = entry.extra->counters[original ? 0 : 1];
        out += "packets=" + number(counter.packets) + " bytes=" + number(counter.bytes) + " ";
    }
}

// "[start=Sun Nov 22 10:46:02 2026] "
void append_date(std::string& out, std::string_view name, std::int64_t nanoseconds) {
    const std::time_t seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
    std::tm local{};
    char text[64] = {};
    if (::localtime_r(&seconds, &local) != nullptr &&
        std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local) != 0) {
        out.append("[").append(name).append("=").append(text) += "] ";
    }
}

}  // namespace

}  // namespace nsr::router
