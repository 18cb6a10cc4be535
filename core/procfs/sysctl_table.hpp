// The rows behind sysctl.hpp. Adding a sysctl is adding a row in sysctl_table.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/pipeline/router.hpp"

namespace nsr::procfs {

enum class SysctlKind : std::uint8_t {
    Number,         // an int within the row's range
    Seconds,        // kernel: proc_dointvec_jiffies; negative ones are in range there
    Milliseconds,   // kernel: proc_dointvec_ms_jiffies; rounded up to a tick
    HighThreshold,  // bytes; not below its low threshold
    LowThreshold,   // bytes; not above its high threshold
    Count,          // read-only: entries in the connection table
    Max,            // of entries: what memory cannot hold is refused
    Buckets,        // resizes the index
};

// One sysctl, or one per interface if the name has a `*`. Exactly one of the accessors is set
// (none for Count); a threshold's `other` is the one it is compared with.
struct SysctlRow {
    std::string_view name;  // below net/
    SysctlKind kind = SysctlKind::Number;
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::uint32_t& (*value)(Router&) = nullptr;
    std::uint64_t& (*threshold)(Router&) = nullptr;
    std::uint64_t& (*other)(Router&) = nullptr;
    std::vector<std::uint32_t>& (*per_interface)(Router&) = nullptr;

    [[nodiscard]] bool writable() const { return kind != SysctlKind::Count; }
    // It exists only while connections are tracked.
    [[nodiscard]] bool needs_tracking() const;
};

std::span<const SysctlRow> sysctl_rows();

}  // namespace nsr::procfs
