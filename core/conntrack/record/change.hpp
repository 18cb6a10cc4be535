// Change: what an administrator does to a connection.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/ids.hpp"

namespace nsr::conntrack {

// What conntrack(8) -U may change; what has no value stays. kernel: ctnetlink_change_conntrack
struct Change {
    struct MarkChange {
        Mark value = 0;
        Mark mask = 0xffffffff;  // the bits that are cleared before `value` is xored in
    };
    std::optional<MarkChange> mark;
    std::uint32_t status = 0;  // bits to set: SEEN_REPLY, ASSURED, FIXED_TIMEOUT; others: ignored
    std::optional<std::uint32_t> timeout_seconds;
};

}  // namespace nsr::conntrack
