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
    None,  // none was given
    List,
    Get,
    Delete,
    Create,
    Add,
    Update,
    Events,
    Flush,
    Count,
    Statistics,
    Version,
    Help
};

struct MarkFilter {
    Mark value = 0;
    Mark mask = 0xffffffff;
};

// One half of a connection as options describe it.
struct TupleFilter {
    std::optional<IpAddress> source;
    std::optional<IpAddress> destination;
    std::optional<IpAddress> source_mask;  // the bits of `source` that count; nothing: all
    std::optional<IpAddress> destination_mask;
    std::optional<std::uint16_t> source_port;  // GRE: the key
    std::optional<std::uint16_t> destination_port;
};

// -n, -g: that end is translated; to this address and port, where they are given.
struct NatFilter {
    bool wanted = false;
    std::optional<IpAddress> address;
    std::optional<std::uint16_t> port;
};

struct ConntrackFilter {
    std::optional<Family> family;  // -f, or that of an address
    std::optional<std::uint8_t> protocol;
    std::array<TupleFilter, 2> tuples;      // original, reply
    std::optional<std::string> state;       // --state
    std::optional<std::uint8_t> icmp_type;  // of the original direction
    std::optional<std::uint8_t> icmp_code;
    std::optional<std::uint16_t> icmp_id;
    std::optional<MarkFilter> mark;
    std::optional<Zone> zone;           // that of both directions
    std::optional<Zone> zone_original;  // that of a connection that has it in this direction alone
    std::optional<Zone> zone_reply;
    std::uint32_t status = 0;       // status bits that must be set
    std::uint32_t status_mask = 0;  // ... and of these no other must
    bool offloaded = false;         // -u OFFLOAD: nothing is, here
    NatFilter source_nat;
    NatFilter destination_nat;
    bool any_nat = false;  // -j: one of the two is enough
    std::optional<conntrack::LabelChange::Bits> labels;
    std::optional<std::uint32_t> id;               // --id
    bool id_is_place = false;                      // ... that of JSON, which counts places
    std::optional<std::uint32_t> timeout_seconds;  // of -D
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
    // What -I expect shall expect, and what of it counts. A mask's addresses are in its tuple, too.
    TupleFilter expected;
    TupleFilter expected_mask;
};

// Does the filter select this connection? An empty filter selects all of the family asked for.
struct Entry;
bool selects(const ConntrackFilter& filter, const Entry& entry);

}  // namespace nsr::router
