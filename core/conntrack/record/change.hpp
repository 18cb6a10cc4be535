// What an administrator does to connections: changes to one, and one that is made by hand.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/ids.hpp"
#include "core/conntrack/record/tuple.hpp"

namespace nsr::conntrack {

// Why it is not done. kernel: EEXIST, EINVAL, ENOMEM, EBUSY, EPERM, EOPNOTSUPP
enum class Refusal : std::uint8_t { Exists, Invalid, NoMemory, Busy, NotPermitted, NotSupported };

// The protocol's own state. A TCP connection whose state is set is believed without a look at its
// sequence numbers from then on, for nobody says what they are. kernel: CTA_PROTOINFO
struct ProtocolChange {
    std::optional<std::uint8_t> state;                // TcpConntrack, SctpConntrack
    std::array<std::optional<std::uint32_t>, 2> tag;  // of SCTP, by Direction
};

struct LabelChange {
    using Bits = std::array<std::uint32_t, 4>;
    Bits clear{};  // these go first
    Bits set{};
};

// What conntrack(8) -U may change; what has no value stays. kernel: ctnetlink_change_conntrack
struct Change {
    struct MarkChange {
        Mark value = 0;
        Mark mask = 0xffffffff;  // the bits that are cleared before `value` is xored in
    };
    std::optional<MarkChange> mark;
    // Bits to set: SEEN_REPLY, ASSURED, FIXED_TIMEOUT. EXPECTED is refused, others are ignored.
    std::uint32_t status = 0;
    std::optional<std::uint32_t> timeout_seconds;
    ProtocolChange protocol;
    std::optional<LabelChange> labels;
};

// What conntrack(8) -I makes. kernel: ctnetlink_create_conntrack
struct NewConnection {
    Tuple original;
    Tuple reply;
    Zone zone = 0;
    bool zone_original = true;  // the zone counts for the original direction
    bool zone_reply = true;     // ... for the reply direction
    Change with;                // of its timeout: a value
};

}  // namespace nsr::conntrack
