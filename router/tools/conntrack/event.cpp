#include "router/tools/conntrack/event.hpp"

#include <cstdio>

#include "router/tools/conntrack/save.hpp"
#include "router/tools/conntrack/text.hpp"
#include "router/tools/conntrack/xml.hpp"

namespace nsr::router {
namespace {

namespace event = conntrack::event;

struct KindRow {
    const char* bracketed;  // as wide as the widest of them
    const char* lower;
    char save;
};

// By EventKind.
constexpr KindRow kRows[kEventKinds] = {
    {"    [NEW] ", "new", 'A'}, {" [UPDATE] ", "update", 'U'},  {"[DESTROY] ", "destroy", 'D'},
    {"    [NEW] ", "new", 'A'}, {"[DESTROY] ", "destroy", 'D'},
};

// What the kernel puts into its message. kernel: ctnetlink_conntrack_event
Attributes attributes_of(const Entry& entry, std::uint32_t bits, const KindRow& row) {
    const bool ends = (bits & event::kDestroy) != 0;
    return {
        .timeout = !ends || entry.seconds_left() != 0,
        .protocol_info = ends || (bits & event::kProtoInfo) != 0,
        .counters = ends,
        .timestamp = ends,
        .mark = entry.connection.mark != 0 || (bits & event::kMark) != 0,
        .helper = !ends,
        .use = false,
        .stop = ends,
        .event = row.lower,
    };
}

// "[1795344361.995239]\t"
void append_time(std::string& out, Instant at) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    constexpr std::int64_t kPerMicrosecond = 1'000;
    const std::int64_t ns = at.time_since_epoch().count();
    char text[48];
    std::snprintf(text, sizeof text, "[%.8lld.%.6lld]\t", static_cast<long long>(ns / kNanoseconds),
                  static_cast<long long>(ns % kNanoseconds / kPerMicrosecond));
    out += text;
}

void append_connection(std::string& out, const EventRecord& record, const ConntrackOutput& output,
                       std::uint32_t process) {
    const auto& about = std::get<ConnectionCopy>(record.about);
    const KindRow& row = kRows[static_cast<std::size_t>(record.kind())];
    const Entry entry = record.entry();
    const Attributes attributes = attributes_of(entry, about.bits, row);
    if (output.save) {
        append_save(out, entry, attributes, row.save);
    } else if (output.xml) {
        append_xml(out, entry, attributes, output);
    } else {
        out += row.bracketed;
        append_plain(out, entry, attributes, output);
        out += output.id ? "id=" + number(shown_id(entry)) + " " : "";
        out.pop_back();
        out += output.labels && (about.bits & event::kLabel) != 0 ? labels_of(entry) : "";
    }
    if (about.by_administrator && process != 0) {
        out += " [USERSPACE] portid=" + number(process) + " progname=nsrouter";
    }
}

}  // namespace

void append_event(std::string& out, const EventRecord& record, const ConntrackOutput& output,
                  std::uint32_t process) {
    if (output.timestamp && !output.xml) {
        append_time(out, record.at);
    }
    if (!record.of_expectation()) {
        append_connection(out, record, output, process);
        return;
    }
    const KindRow& row = kRows[static_cast<std::size_t>(record.kind())];
    if (output.xml) {
        append_expectation_xml(out, record.expectation(), row.lower, output.timestamp);
    } else {
        out += row.bracketed;
        append_expectation(out, record.expectation());
    }
}

void append_event_json(std::string& out, const EventRecord& record) {
    out.append("{\"event\":\"").append(name_of(record.kind()));
    out += "\",\"time_ns\":" + std::to_string(record.at.time_since_epoch().count()) + ",";
    if (record.of_expectation()) {
        append_expectation_json_members(out, record.expectation());
    } else {
        const bool asked = std::get<ConnectionCopy>(record.about).by_administrator;
        out += asked ? "\"by_administrator\":true," : "";
        append_json_members(out, record.entry(), {});
    }
    out += '}';
}

}  // namespace nsr::router
