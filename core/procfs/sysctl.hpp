// Sysctls: one table, one row each: name, what it holds, range, who may write, what a write changes
// beside the value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/procfs/tree.hpp"

namespace nsr::procfs {

// "net.netfilter.nf_conntrack_max" or "net/netfilter/nf_conntrack_max". Values as sysctl(8) shows
// them, without line break.
Result<std::string, Failure> read_sysctl(const Context& context, std::string_view name);
// Parses as the kernel does (leading blanks, 0x, trailing text after a blank ignored); out of range
// is Invalid with the accepted range.
[[nodiscard]] std::optional<Failure> write_sysctl(Context& context, std::string_view name,
                                                  std::string_view value, Instant now);
// The same for configuration: the keys of tracking can be set whether or not tracking is on.
[[nodiscard]] std::optional<Failure> set_sysctl(Context& context, std::string_view name,
                                                std::string_view value, Instant now);
// Names in the order of `sysctl -a`: net.ipv4 ..., net.ipv6 ..., net.netfilter ...,
// net.nf_conntrack_max. Those of conntrack only while tracking is on.
std::vector<std::string> sysctl_names(const Context& context);
// The same as paths below /proc/sys: "net/ipv4/ip_forward".
std::vector<std::string> sysctl_paths(const Context& context);
// 0644, or 0444 for what is read-only.
unsigned sysctl_mode(const Context& context, std::string_view name);
// For configuration checks: is there such a key at all (whether or not tracking is on; an interface
// part must name one of `interfaces`), and is `value` in range? Nothing: fine.
std::optional<Failure> check_sysctl(std::string_view name, std::string_view value,
                                    const std::vector<std::string>& interfaces);

}  // namespace nsr::procfs
