#include "router/tools/conntrack/text.hpp"

#include "core/wire/protocol.hpp"
#include "router/tools/conntrack/plain.hpp"

namespace nsr::router {
namespace {

using conntrack::Connection;
using conntrack::Conntrack;
using conntrack::Tuple;
namespace status = conntrack::status;

void append_save(std::string& out, const Entry& entry);
void append_xml(std::string& out, const Entry& entry, const ConntrackOutput& output);
std::string json_tuple(const Entry& entry, Direction direction);
std::string status_words(const Connection& connection);

// " accepted-by=rules.v4:12 translated-by=-"
std::string in_words(const RulesOf& rules) {
    const auto place = [](const std::string& where) { return where.empty() ? "-" : where; };
    return " accepted-by=" + place(rules.accepted_by) +
           " translated-by=" + place(rules.translated_by);
}

// Of a file's name, which holds no control characters here.
std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' || c == '\\' ? "\\" : "";
        out += c;
    }
    return out + "\"";
}

std::string json_string(std::string_view word) {
    return "\"" + std::string(word) + "\"";
}

}  // namespace

void append_conntrack_entry(std::string& out, const Conntrack& conntrack, ConnId id,
                            const RulesOf& rules, const ConntrackOutput& output, Instant now) {
    const Entry entry = entry_of(conntrack, id, now);
    if (output.save) {
        append_save(out, entry);
    } else if (output.xml) {
        append_xml(out, entry, output);
    } else {
        append_plain(out, entry, {}, output);
        out += "use=1";
        out += output.id ? " id=" + number(raw(id)) : std::string();
        out += output.rules ? in_words(rules) : std::string();
    }
    out += '\n';
}

void append_conntrack_json(std::string& out, const Conntrack& conntrack, ConnId id,
                           const RulesOf& rules, Instant now) {
    const Entry entry = entry_of(conntrack, id, now);
    const Connection& connection = entry.connection;
    out += "{\"family\":" + json_string(family_name(entry));
    out += ",\"protocol\":" + json_string(protocol_name(connection.protocol));
    out += ",\"protonum\":" + number(connection.protocol);
    out += ",\"timeout\":" + number(entry.seconds_left());
    const std::string_view state = conntrack::state_name(connection);
    if (!state.empty()) {
        out += ",\"state\":" + json_string(state);
    }
    out += ",\"original\":" + json_tuple(entry, Direction::Original);
    out += ",\"reply\":" + json_tuple(entry, Direction::Reply);
    out += ",\"status\":" + json_string(status_words(connection));
    out += ",\"mark\":" + number(connection.mark) + ",\"zone\":" + number(connection.zone);
    if (const auto helper = conntrack.helper_of(id); helper != conntrack::HelperId::None) {
        out += ",\"helper\":" + json_string(conntrack::helper_info(helper).name);
    }
    if (entry.extra != nullptr && entry.extra->start_ns != 0) {
        out += ",\"start_ns\":" + std::to_string(entry.extra->start_ns);
    }
    const auto rule = [&](const char* name, const std::string& where) {
        out += where.empty() ? "" : std::string(",\"") + name + "\":" + json_text(where);
    };
    rule("accepted_by", rules.accepted_by);
    rule("translated_by", rules.translated_by);
    out += ",\"id\":" + number(raw(id)) + "}";
}

namespace {

// --- -o save ----------------------------------------------------------------------------------

void append_save_ports(std::string& out, const Tuple& original, const Tuple& reply);

std::string status_words(const Connection& connection) {
    std::string words;
    const auto add = [&](std::uint32_t bit, const char* word) {
        if (connection.has(bit)) {
            words += (words.empty() ? "" : ",") + std::string(word);
        }
    };
    add(status::kExpected, "EXPECTED");
    add(status::kSeenReply, "SEEN_REPLY");
    add(status::kAssured, "ASSURED");
    add(status::kFixedTimeout, "FIXED_TIMEOUT");
    return words.empty() ? "UNSET" : words;
}

void append_save(std::string& out, const Entry& entry) {
    const Connection& connection = entry.connection;
    const Tuple original = entry.tuple(Direction::Original);
    const Tuple reply = entry.tuple(Direction::Reply);
    out += "-A -t " + number(entry.seconds_left()) + " -u " + status_words(connection);
    out += " -s " + to_string(original.source) + " -d " + to_string(original.destination);
    const bool source_kept = reply.destination == original.source;
    const bool destination_kept = reply.source == original.destination;
    out += (destination_kept ? " -r " : " -g ") + to_string(reply.source);
    out += (source_kept ? " -q " : " -n ") + to_string(reply.destination);
    const std::string_view name = protocol_name(connection.protocol);
    out += " -p " + (name == "unknown" ? number(connection.protocol) : std::string(name));
    append_save_ports(out, original, reply);
    const std::string_view state = conntrack::state_name(connection);
    if (!state.empty()) {
        out += " --state " + std::string(state);
    }
    if (connection.mark != 0) {
        out += " -m " + number(connection.mark);
    }
    if (connection.zone != 0 && entry.zone_is_shared()) {
        out += " -w " + number(connection.zone);
    }
}

void append_save_ports(std::string& out, const Tuple& original, const Tuple& reply) {
    const std::string icmp = original.protocol == proto::kIcmpv6 ? " --icmpv6-" : " --icmp-";
    switch (ports_of(original.protocol)) {
        case Ports::Ports:
            out += " --sport " + number(original.source_port) + " --dport " +
                   number(original.destination_port) + " --reply-port-src " +
                   number(reply.source_port) + " --reply-port-dst " +
                   number(reply.destination_port);
            break;
        case Ports::Icmp:
            out += icmp + "type " + number(original.destination_port >> 8) + icmp + "code " +
                   number(original.destination_port & 0xffu) + icmp + "id " +
                   number(original.source_port);
            break;
        case Ports::Keys:
            out += " --srckey " + number(original.source_port) + " --dstkey " +
                   number(original.destination_port) + " --reply-key-src " +
                   number(reply.source_port) + " --reply-key-dst " + number(reply.destination_port);
            break;
        case Ports::None:
            break;
    }
}

// --- -o xml -----------------------------------------------------------------------------------

std::string element(const std::string& name, const std::string& content) {
    return "<" + name + ">" + content + "</" + name + ">";
}

std::string xml_direction(const Entry& entry, Direction direction);

void append_xml(std::string& out, const Entry& entry, const ConntrackOutput& output) {
    const Connection& connection = entry.connection;
    out += "<flow>" + xml_direction(entry, Direction::Original) +
           xml_direction(entry, Direction::Reply) + "<meta direction=\"independent\">";
    const std::string_view state = conntrack::state_name(connection);
    if (!state.empty()) {
        out += element("state", std::string(state));
    }
    out += element("timeout", number(entry.seconds_left()));
    out += element("mark", number(connection.mark));
    if (connection.zone != 0 && entry.zone_is_shared()) {
        out += element("zone", number(connection.zone));
    }
    out += element("use", "1") + element("id", number(raw(entry.id)));
    if (!connection.has(status::kSeenReply)) {
        out += "<unreplied/>";
    }
    if (connection.has(status::kAssured)) {
        out += "<assured/>";
    }
    if (entry.extra != nullptr && entry.extra->start_ns != 0) {
        if (output.ktimestamp) {
            out += element("timestamp", element("start", std::to_string(entry.extra->start_ns)));
        }
        out += element("deltatime", std::to_string(entry.age_seconds()));
    }
    out += "</meta></flow>";
}

std::string xml_direction(const Entry& entry, Direction direction) {
    const Tuple tuple = entry.tuple(direction);
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
    if (entry.extra != nullptr && entry.extra->counting) {
        const conntrack::Counter& counter = entry.extra->counters[original ? 0 : 1];
        out += element("counters", element("packets", number(counter.packets)) +
                                       element("bytes", number(counter.bytes)));
    }
    return out + "</meta>";
}

// --- JSON -------------------------------------------------------------------------------------

std::string json_tuple(const Entry& entry, Direction direction) {
    const Tuple tuple = entry.tuple(direction);
    std::string out = "{\"src\":" + json_string(to_string(tuple.source)) +
                      ",\"dst\":" + json_string(to_string(tuple.destination));
    const auto field = [&](const char* name, std::uint64_t value) {
        out += std::string(",\"") + name + "\":" + number(value);
    };
    switch (ports_of(tuple.protocol)) {
        case Ports::Ports:
            field("sport", tuple.source_port);
            field("dport", tuple.destination_port);
            break;
        case Ports::Icmp:
            field("type", tuple.destination_port >> 8);
            field("code", tuple.destination_port & 0xffu);
            field("id", tuple.source_port);
            break;
        case Ports::Keys:
            field("srckey", tuple.source_port);
            field("dstkey", tuple.destination_port);
            break;
        case Ports::None:
            break;
    }
    if (entry.extra != nullptr && entry.extra->counting) {
        const conntrack::Counter& counter =
            entry.extra->counters[direction == Direction::Original ? 0 : 1];
        field("packets", counter.packets);
        field("bytes", counter.bytes);
    }
    return out + "}";
}

}  // namespace

}  // namespace nsr::router
