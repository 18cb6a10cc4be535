// The rows behind sysctl.hpp. Adding a sysctl is adding a row in sysctl_table.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "core/pipeline/settings.hpp"

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
    Fixed,          // cannot be anything but `initial`; why is in `reason`
};

// What a write to conf.all does beside.
enum class Spread : std::uint8_t {
    Nothing,
    Everywhere,  // conf.default and every interface become the same
    OnChange,    // the same, unless conf.all had that value before
};

// One sysctl; or, if the name has a `*`, one for all interfaces, one for those to come ("default")
// and one for each.
struct SysctlRow {
    using Number = std::uint32_t& (*)(pipeline::Settings&);
    using Bytes = std::uint64_t& (*)(pipeline::Settings&);
    using PerInterface = pipeline::PerInterface& (*)(pipeline::Settings&);

    std::string_view name;  // below net/
    SysctlKind kind = SysctlKind::Number;
    std::int64_t initial = 0;  // in a router whose configuration and memory do not say otherwise
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::variant<std::monostate, Number, Bytes, PerInterface> where;  // monostate: Count, Fixed
    Bytes other = nullptr;  // valid iff a threshold: the one that it is compared with
    Spread spread = Spread::Nothing;
    std::string_view reason = {};

    [[nodiscard]] bool writable() const { return kind != SysctlKind::Count; }
    [[nodiscard]] bool per_interface() const { return name.find('*') != std::string_view::npos; }
    // It exists only while connections are tracked.
    [[nodiscard]] bool needs_tracking() const;
};

std::span<const SysctlRow> sysctl_rows();

}  // namespace nsr::procfs
