// Observation: what happened to one packet, as a value: hook by hook, in the order of its way.
//
// Theory of operation
//   A Watcher (watcher.hpp) makes it while the packet runs; whoever shows it (text, JSON, the words
//   of explain, comments of a capture) makes that from the value alone, later and anywhere: names
//   and texts of rules are in it. What the packet caused (an error, a reset, an answer, a copy) has
//   an observation of its own, whose number a step of this one says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/drop_reason.hpp"
#include "core/base/instant.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/routing/flow.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::observe {

struct Place {
    Hook hook = Hook::Prerouting;
    pipeline::StageId stage = pipeline::StageId::Defrag;
};

// A connection as it was at one moment.
struct ConnectionState {
    ConnId id = ConnId::None;
    std::string_view state;    // "SYN_SENT"; empty: its protocol has none
    std::uint32_t status = 0;  // conntrack::status::k*
    conntrack::Tuple original;
    conntrack::Tuple reply;
};

struct RuleStep {
    Place place;
    rules::TableId table = rules::TableId::Filter;
    std::string chain;
    std::uint32_t number = 0;  // in its chain, from 1
    SourceLocation where;
    std::string text;              // as iptables-save writes it
    std::string target;            // "ACCEPT"; empty: it only counts
    rules::RuleCounters counters;  // this packet included, if it matched
    bool matched = false;
};

struct PolicyStep {
    Place place;
    rules::TableId table = rules::TableId::Filter;
    std::string chain;
    rules::Policy policy = rules::Policy::Accept;
};

// What connection tracking made of it.
struct TrackedStep {
    Place place;
    CtInfo info = CtInfo::Invalid;
    std::optional<ConnectionState> before;  // nothing: there was no connection
    std::optional<ConnectionState> after;
    std::string why;  // it is INVALID; may be empty
};

// NAT rewrote one of its ends.
struct TranslatedStep {
    Place place;
    bool source = false;  // else its destination
    std::string from;     // "10.0.0.2:4000"
    std::string to;
};

// Its connection is in the table from now on.
struct ConfirmedStep {
    Place place;
    ConnectionState connection;
};

// A stage keeps it: a fragment that waits for others.
struct KeptStep {
    Place place;
};

struct RoutedStep {
    routing::Decision decision;
    std::string interface;  // of decision.out
};

struct DeliveredStep {};  // to the router itself

struct CausedStep {
    std::uint64_t number = 0;  // of the observation of what it caused
};

struct DroppedStep {
    DropReason reason = DropReason::Count;
    std::optional<Place> place;  // nothing: between two hooks
    std::string hint;            // what would have let it through
};

struct LeftStep {
    std::string interface;  // empty: to the router itself
    std::string packet;     // in one line
    IfIndex out = IfIndex::None;
    std::vector<std::uint8_t> bytes;  // where they are wanted
    std::uint32_t length = 0;         // of the packet, if bytes are cut off; 0: they are not
};

using Step = std::variant<RuleStep, PolicyStep, TrackedStep, TranslatedStep, ConfirmedStep,
                          KeptStep, RoutedStep, DeliveredStep, CausedStep, DroppedStep, LeftStep>;

enum class Fate : std::uint8_t { Nothing, Left, Delivered, Kept, Dropped };

struct Observation {
    std::uint64_t number = 0;  // of those that a watcher makes, from 1
    std::uint64_t caused_by = 0;
    Instant at{};
    std::uint32_t cause = 0;  // Meta::cause
    std::string in;           // empty: from the router itself
    IfIndex in_index = IfIndex::None;
    std::string packet;               // in one line, as it came
    std::vector<std::uint8_t> bytes;  // the same, where they are wanted
    bool traced = false;              // a rule with -j TRACE met it
    Zone zone = 0;
    Mark mark = 0;  // at its end
    std::vector<Step> steps;
    std::size_t left_out = 0;  // steps, for want of room

    Fate fate = Fate::Nothing;
    DropReason reason = DropReason::Count;  // valid iff Dropped

    // Bits of the listeners that want it, as Watcher::wanted said when it came.
    std::uint64_t wanted_by = 0;
    std::uint32_t length = 0;  // of the packet, if `bytes` are cut off; 0: they are not
};

// Null: it has no such step. The last one, if it has several.
template <class Kind>
const Kind* find(const Observation& observation) {
    const Kind* found = nullptr;
    for (const Step& step : observation.steps) {
        const Kind* kind = std::get_if<Kind>(&step);
        found = kind != nullptr ? kind : found;
    }
    return found;
}

// "10.0.0.2:4000", "[2001:db8::1]:53"; without the port where the protocol has none.
std::string endpoint_text(const IpAddress& address, std::uint16_t port, bool has_port);
std::string_view name_of(CtInfo info);  // "NEW"; replies as the others
std::string_view name_of(Fate fate);    // "left", "dropped", ...

}  // namespace nsr::observe
