#include "router/tools/conntrack/event.hpp"

#include "router/tools/conntrack/plain.hpp"

namespace nsr::router {
namespace {

namespace event = conntrack::event;

// As wide as the widest of them.
const char* kind_of(std::uint32_t bits) {
    if ((bits & event::kDestroy) != 0) {
        return "[DESTROY] ";
    }
    return (bits & (event::kNew | event::kRelated)) != 0 ? "    [NEW] " : " [UPDATE] ";
}

// What the kernel puts into its message. kernel: ctnetlink_conntrack_event
Attributes attributes_of(const Entry& entry, std::uint32_t bits) {
    const bool ends = (bits & event::kDestroy) != 0;
    return {
        .timeout = !ends || entry.seconds_left() != 0,
        .protocol_info = ends || (bits & event::kProtoInfo) != 0,
        .counters = ends,
        .timestamp = ends,
        .mark = entry.connection.mark != 0 || (bits & event::kMark) != 0,
        .helper = !ends,
    };
}

}  // namespace

void append_conntrack_event(std::string& out, const conntrack::Event& event,
                            const ConntrackOutput& output) {
    const Entry entry = entry_of(event.conntrack, event.id, event.at);
    out += kind_of(event.bits);
    append_plain(out, entry, attributes_of(entry, event.bits), output);
    if (output.id) {
        out += "id=" + number(raw(event.id)) + " ";
    }
    out.pop_back();
}

}  // namespace nsr::router
