#include "router/tools/conntrack/text.hpp"

#include "core/base/utf8.hpp"
#include "core/wire/protocol.hpp"
#include "router/tools/conntrack/plain.hpp"
#include "router/tools/conntrack/save.hpp"
#include "router/tools/conntrack/xml.hpp"

namespace nsr::router {
namespace {

using conntrack::Connection;
using conntrack::Conntrack;
using conntrack::Tuple;
namespace status = conntrack::status;

std::string json_tuple(const Entry& entry, Direction direction);

// " accepted-by=rules.v4:12 translated-by=-"
std::string in_words(const RulesOf& rules) {
    const auto place = [](const std::string& where) { return where.empty() ? "-" : where; };
    return " accepted-by=" + place(rules.accepted_by) +
           " translated-by=" + place(rules.translated_by);
}

// Of a file's name, which holds no control characters here.
std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : as_utf8(text)) {
        out += c == '"' || c == '\\' ? "\\" : "";
        out += c;
    }
    return out + "\"";
}

std::string json_string(std::string_view word) {
    return "\"" + std::string(word) + "\"";
}

}  // namespace

std::string labels_of(const Entry& entry) {
    constexpr std::size_t kPerWord = 32;
    std::string out;
    const std::size_t words = entry.extra == nullptr ? 0 : entry.extra->labels.size();
    for (std::size_t label = 0; label < words * kPerWord; ++label) {
        if ((entry.extra->labels[label / kPerWord] >> label % kPerWord & 1) != 0) {
            out += (out.empty() ? " labels=" : ",") + number(label);
        }
    }
    return out;
}

void append_conntrack_entry(std::string& out, const Conntrack& conntrack, ConnId id,
                            const RulesOf& rules, const ConntrackOutput& output, Instant now,
                            ConntrackCommand command) {
    const Entry entry = entry_of(conntrack, id, now);
    // Who gets one entry has a reference to it.
    const bool got = command == ConntrackCommand::Get || command == ConntrackCommand::Update;
    const Attributes attributes{.use = got ? 2u : 1u};
    if (output.save) {
        append_save(out, entry, {}, command == ConntrackCommand::Delete ? 'D' : 'A');
    } else if (output.xml) {
        append_xml(out, entry, attributes, output);
    } else {
        append_plain(out, entry, attributes, output);
        out += "use=" + number(attributes.use);
        out += output.id ? " id=" + number(shown_id(entry)) : std::string();
        out += output.labels ? labels_of(entry) : std::string();
        out += output.rules ? in_words(rules) : std::string();
    }
    out += '\n';
}

void append_conntrack_json(std::string& out, const Conntrack& conntrack, ConnId id,
                           const RulesOf& rules, Instant now) {
    out += "{";
    append_json_members(out, entry_of(conntrack, id, now), rules);
    out += "}";
}

void append_json_members(std::string& out, const Entry& entry, const RulesOf& rules) {
    const Connection& connection = entry.connection;
    out += "\"family\":" + json_string(family_name(entry));
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
    if (entry.helper != conntrack::HelperId::None) {
        out += ",\"helper\":" + json_string(conntrack::helper_info(entry.helper).name);
    }
    if (entry.extra != nullptr && entry.extra->start_ns != 0) {
        out += ",\"start_ns\":" + std::to_string(entry.extra->start_ns);
    }
    const auto rule = [&](const char* name, const std::string& where) {
        out += where.empty() ? "" : std::string(",\"") + name + "\":" + json_text(where);
    };
    rule("accepted_by", rules.accepted_by);
    rule("translated_by", rules.translated_by);
    out += ",\"id\":" + number(raw(entry.id));
}

namespace {

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
