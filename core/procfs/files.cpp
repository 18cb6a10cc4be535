#include "core/procfs/files.hpp"

#include <algorithm>
#include <array>

#include "core/procfs/text.hpp"

namespace nsr::procfs {

namespace {

std::string read_kmsg(const Context& context, Instant now);
std::string read_conntrack_mode(const Context& context, Instant now);
Result<Done, Failure> write_conntrack_mode(Context& context, std::string_view text, Instant now);

constexpr std::array kFiles = {
    // A kernel with dmesg_restrict shows it to root alone, whatever the mode says.
    File{.path = "/dev/kmsg", .mode = 0400, .read = read_kmsg},
    File{.path = "/proc/net/dev", .read = read_dev},
    File{.path = "/proc/net/ip6_tables_names", .mode = 0440, .read = read_ip6_tables_names},
    File{.path = "/proc/net/ip_conntrack",
         .mode = 0440,
         .needs_tracking = true,
         .sharded = Sharded::Rows,
         .open = open_ip_conntrack},
    File{.path = "/proc/net/ip_tables_names", .mode = 0440, .read = read_ip_tables_names},
    File{.path = "/proc/net/netstat", .read = read_netstat},
    File{.path = "/proc/net/nf_conntrack",
         .mode = 0440,
         .needs_tracking = true,
         .sharded = Sharded::Rows,
         .open = open_nf_conntrack},
    File{.path = "/proc/net/nf_conntrack_expect",
         .mode = 0440,
         .needs_tracking = true,
         .open = open_nf_conntrack_expect},
    File{.path = "/proc/net/route", .read = read_route},
    File{.path = "/proc/net/snmp", .read = read_snmp},
    File{.path = "/proc/net/snmp6", .read = read_snmp6},
    File{.path = "/proc/net/stat/nf_conntrack",
         .needs_tracking = true,
         .read = read_stat_nf_conntrack},
    File{.path = "/proc/nsrouter/conntrack_mode",
         .mode = 0644,
         .read = read_conntrack_mode,
         .write = write_conntrack_mode},
    File{.path = "/proc/nsrouter/drop_reasons", .read = read_drop_reasons},
    File{.path = "/proc/nsrouter/drops", .mode = 0440, .open = open_drops},
    File{.path = "/proc/nsrouter/nat_mappings",
         .mode = 0440,
         .needs_tracking = true,
         .sharded = Sharded::Refused,
         .open = open_all_nat_mappings},
    File{.path = "/proc/nsrouter/nat_ports",
         .mode = 0440,
         .needs_tracking = true,
         .sharded = Sharded::Refused,
         .open = open_nat_ports},
};

}  // namespace

std::span<const File> files() {
    return kFiles;
}

namespace {

std::string read_kmsg(const Context& context, Instant /*now*/) {
    return context.kernel_log ? context.kernel_log() : std::string();
}

std::string read_conntrack_mode(const Context& context, Instant /*now*/) {
    return std::string(name_of(context.router.tracking_mode())) + "\n";
}

// As with modprobe -r: what rules need cannot be unloaded.
Result<Done, Failure> write_conntrack_mode(Context& context, std::string_view text, Instant now) {
    const std::string_view name = text::trimmed(text);
    const auto found = std::find(kTrackingModeNames.begin(), kTrackingModeNames.end(), name);
    if (found == kTrackingModeNames.end()) {
        return Failure{Errno::Invalid, "auto|on|off"};
    }
    const TrackingMode mode{static_cast<std::uint8_t>(found - kTrackingModeNames.begin())};
    if (const auto set = context.router.set_tracking(mode, now); !set) {
        return Failure{Errno::Busy, set.error()};
    }
    return Done{};
}

}  // namespace

}  // namespace nsr::procfs
