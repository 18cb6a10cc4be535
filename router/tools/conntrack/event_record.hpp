// What happened, as a value: a copy of the connection or the expectation as it was then, from which
// every form of its text can be made later.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "core/conntrack/conntrack.hpp"
#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/entry.hpp"
#include "router/tools/conntrack/expect.hpp"

namespace nsr::router {

enum class EventKind : std::uint8_t { New, Update, Destroy, ExpectNew, ExpectDestroy };
inline constexpr unsigned kEventKinds = 5;
// "NEW", "UPDATE", "DESTROY", "EXP_NEW", "EXP_DESTROY"
std::string_view name_of(EventKind kind);

struct ConnectionCopy {
    conntrack::Connection connection;
    conntrack::Extra extra;  // valid iff connection.extra is one
    std::array<conntrack::Tuple, 2> tuples;
    ConnId id = ConnId::None;
    conntrack::HelperId helper = conntrack::HelperId::None;
    std::uint32_t bits = 0;  // conntrack::event::k*
    bool by_administrator = false;
};

struct ExpectationCopy {
    conntrack::Expectation expectation;
    conntrack::Tuple master;
    conntrack::HelperId helper = conntrack::HelperId::None;
    bool ends = false;
};

// Fixed size, nothing allocated.
struct EventRecord {
    Instant at{};
    std::variant<ConnectionCopy, ExpectationCopy> about;

    [[nodiscard]] EventKind kind() const;
    [[nodiscard]] bool of_expectation() const { return about.index() != 0; }
    // Views of this record. Precondition: it is about such.
    [[nodiscard]] Entry entry() const;
    [[nodiscard]] ShownExpectation expectation() const;
};

EventRecord record_of(const conntrack::Event& event);
EventRecord record_of(const conntrack::ExpectationEvent& event);

// Which events somebody wants to hear of.
struct EventFilter {
    bool connections = true;
    bool expectations = false;
    ConntrackFilter filter;     // of connections; of expectations the family alone
    std::uint8_t kinds = 0xff;  // a bit for each EventKind
    [[nodiscard]] bool wants(const EventRecord& record) const;
};

}  // namespace nsr::router
