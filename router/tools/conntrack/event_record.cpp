#include "router/tools/conntrack/event_record.hpp"

#include <array>

namespace nsr::router {

namespace event = conntrack::event;

std::string_view name_of(EventKind kind) {
    constexpr std::array<std::string_view, kEventKinds> kNames = {"NEW", "UPDATE", "DESTROY",
                                                                  "EXP_NEW", "EXP_DESTROY"};
    return kNames[static_cast<std::size_t>(kind)];
}

EventKind EventRecord::kind() const {
    if (of_expectation()) {
        return std::get<ExpectationCopy>(about).ends ? EventKind::ExpectDestroy
                                                     : EventKind::ExpectNew;
    }
    const std::uint32_t bits = std::get<ConnectionCopy>(about).bits;
    if ((bits & event::kDestroy) != 0) {
        return EventKind::Destroy;
    }
    return (bits & (event::kNew | event::kRelated)) != 0 ? EventKind::New : EventKind::Update;
}

Entry EventRecord::entry() const {
    const auto& it = std::get<ConnectionCopy>(about);
    const bool has_extra = it.connection.extra != conntrack::kNoSide;
    return {it.id, it.connection, has_extra ? &it.extra : nullptr, it.tuples, it.helper, at};
}

ShownExpectation EventRecord::expectation() const {
    const auto& it = std::get<ExpectationCopy>(about);
    return {it.expectation, it.master, it.helper, at};
}

EventRecord record_of(const conntrack::Event& event) {
    const conntrack::Table& table = event.conntrack.table();
    EventRecord record;
    record.at = event.at;
    auto& it = std::get<ConnectionCopy>(record.about);
    it.connection = table[event.id];
    if (const conntrack::Extra* extra = table.extra(event.id)) {
        it.extra = *extra;
    }
    it.tuples = {table.tuple(event.id, Direction::Original),
                 table.tuple(event.id, Direction::Reply)};
    it.id = event.id;
    it.helper = event.conntrack.helper_of(event.id);
    it.bits = event.bits;
    it.by_administrator = event.by == conntrack::ChangedBy::Administrator;
    return record;
}

EventRecord record_of(const conntrack::ExpectationEvent& event) {
    const ConnId master = event.expectation.master;
    EventRecord record;
    record.at = event.at;
    record.about = ExpectationCopy{event.expectation,
                                   event.conntrack.table().tuple(master, Direction::Original),
                                   event.conntrack.helper_of(master), event.ends};
    return record;
}

bool EventFilter::wants(const EventRecord& record) const {
    if ((kinds >> static_cast<unsigned>(record.kind()) & 1) == 0) {
        return false;
    }
    if (record.of_expectation()) {
        return expectations && (!filter.family ||
                                *filter.family == record.expectation().expectation.tuple.family());
    }
    // An event that does not say the state has none.
    constexpr std::uint32_t kSaysState = event::kDestroy | event::kProtoInfo;
    const bool says = (std::get<ConnectionCopy>(record.about).bits & kSaysState) != 0;
    return connections && (says || !filter.state) && selects(filter, record.entry());
}

}  // namespace nsr::router
