// Why a source has the port outside that it has: derived from what is there now, so that nothing
// need be remembered of each connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/conntrack/conntrack.hpp"
#include "core/nat/mappings.hpp"
#include "core/nat/range.hpp"
#include "core/nat/source_index.hpp"

namespace nsr::nat {

enum class PortReason : std::uint8_t {
    Kept,         // its own
    Range,        // its own is none of the rule's ports
    Random,       // the rule wants any
    Sequential,   // the rule wants the next one
    Block,        // its own is not in the block of its host
    Neighbour,    // it is that behind the port of the one before
    LikeAnother,  // it is that of another connection of this source
    Taken,        // its own would have looked like somebody else
    Unknown,      // its rule is gone
};
// "range", "random", "sequential", "block", "neighbour", "like-another", "taken", "unknown"
std::string_view name_of(PortReason reason);

struct PortAnswer {
    PortReason reason = PortReason::Kept;
    std::optional<Source> holder;  // of Taken: who has it now; nothing: nobody any more
};

// Of a mapping that a rule's Behaviour made.
PortAnswer why_port(const Mappings& mappings, const Mapping& mapping);
// Of another translated connection. `rule`: what its rule allows; null: there is no such rule.
PortAnswer why_port(const conntrack::Conntrack& conntrack, const SourceIndex& sources, ConnId id,
                    const Range* rule, Instant now);

}  // namespace nsr::nat
