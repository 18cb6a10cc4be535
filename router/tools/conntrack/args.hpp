// conntrack(8) command lines as values.
//
// parse.hpp makes them. What a filter selects is decided by selects(); every front end (command
// line, HTTP, replay events) shares both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/conntrack/conntrack.hpp"
#include "core/wire/address.hpp"

namespace nsr::router {

enum class ConntrackCommand : std::uint8_t {
    List,
    Get,
    Delete,
    Create,
    Update,
    Events,
    Flush,
    Count,
    Statistics
};

struct MarkFilter {
    Mark value = 0;
    Mark mask = 0xffffffff;
};

// One half of a connection as options describe it.
struct TupleFilter {
    std::optional<Prefix> source;
    std::optional<Prefix> destination;
    std::optional<std::uint16_t> source_port;  // ICMP: the identifier
    std::optional<std::uint16_t> destination_port;
    std::optional<IpAddress> source_mask;  // --mask-src: the length of `source`, once parsed
    std::optional<IpAddress> destination_mask;
};

struct ConntrackFilter {
    std::optional<Family> family;  // -f
    std::optional<std::uint8_t> protocol;
    std::array<TupleFilter, 2> tuples;      // original, reply
    std::optional<std::string> state;       // --state, TCP and SCTP names
    std::optional<std::uint8_t> icmp_type;  // of the original direction
    std::optional<std::uint8_t> icmp_code;
    std::optional<std::uint16_t> icmp_id;
    std::optional<MarkFilter> mark;
    std::optional<Zone> zone;
    std::optional<Zone> zone_original;
    std::optional<Zone> zone_reply;
    std::uint32_t status_set = 0;           // status bits that must be set
    std::uint32_t status_clear = 0;         // status bits that must not
    std::uint32_t nat_any = 0;              // -n, -g, -j: one of these NAT status bits must be set
    std::optional<Prefix> nat_source;       // -n IP: who the translated source is
    std::optional<Prefix> nat_destination;  // -g IP: who the translated destination is
    std::optional<Prefix> nat_either;       // -j IP: one of the two
    std::optional<std::uint32_t> id;        // --id
};

// -o, -e
struct ConntrackOutput {
    bool extended = false;
    bool xml = false;
    bool save = false;
    bool id = false;
    bool ktimestamp = false;
    bool timestamp = false;  // of events: when they happened
    bool labels = false;
    bool rules = false;  // ours: which rules accepted and translated it
    bool event_new = true;
    bool event_update = true;
    bool event_destroy = true;
    bool zero = false;  // -z
};

enum class ConntrackTable : std::uint8_t { Connections, Expectations, Dying, Unconfirmed };

struct ConntrackArgs {
    ConntrackCommand command = ConntrackCommand::List;
    ConntrackTable table = ConntrackTable::Connections;
    ConntrackFilter filter;
    conntrack::Change change;
    ConntrackOutput output;
};

// Does the filter select this connection? An empty filter selects all of the family asked for.
struct Entry;
bool selects(const ConntrackFilter& filter, const Entry& entry);

}  // namespace nsr::router
