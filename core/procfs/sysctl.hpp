// Sysctls as text: looked up by name once, then read, or set on a value.
//
// Theory of operation
//   What there is stands in one table (sysctl_table.hpp), a row each. A Sysctl is a row that was
//   found, and for those that exist once per interface which one. It lives in pipeline::Settings:
//   to set it is to change such a value, and that needs no router, so a configuration is checked on
//   a copy. A write to a running router sets a copy of its settings and hands that back to it.
//   Numbers are parsed as the kernel does it: leading blanks, a minus, 0x and leading 0, and text
//   behind a blank is ignored.
// kernel: proc_dointvec and its kin; sysctl(8)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/pipeline/settings.hpp"
#include "core/procfs/failure.hpp"
#include "core/procfs/file.hpp"
#include "core/procfs/sysctl_table.hpp"

namespace nsr::procfs {

struct Sysctl {
    const SysctlRow* row = nullptr;
    std::size_t interface = 0;  // valid iff the row is per interface: 0 is "all", i the index i
};

// "net.netfilter.nf_conntrack_max" or "net/netfilter/nf_conntrack_max"; `interfaces` are the names
// of those with the indices 1, 2, ... Nothing: there is no such key.
std::optional<Sysctl> find_sysctl(std::string_view name,
                                  const std::vector<std::string>& interfaces);
// The same in a running router, where those of conntrack exist only while tracking is on.
std::optional<Sysctl> find_sysctl(std::string_view name, const Context& context);

// As sysctl(8) shows it, without line break.
std::string read_sysctl(const Sysctl& sysctl, const Context& context);
// Is `text` a number within the row's range, and may it be written at all? Errors are Access, and
// Invalid with the range.
Result<Done, Failure> check_sysctl(const Sysctl& sysctl, std::string_view text);
// Sets it in `settings`, which stay as they are on errors: those of check_sysctl(), a bound that
// another value sets, and NoMemory for what `memory_limit_bytes` (0: no limit) cannot hold. A text
// of no bytes changes nothing.
Result<Done, Failure> set_sysctl(const Sysctl& sysctl, std::string_view text,
                                 std::uint64_t memory_limit_bytes, pipeline::Settings& settings);
// The same in a running router.
Result<Done, Failure> write_sysctl(const Sysctl& sysctl, Context& context, std::string_view text);

// By name, with NoEntry for what does not exist now.
Result<std::string, Failure> read_sysctl(const Context& context, std::string_view name);
Result<Done, Failure> write_sysctl(Context& context, std::string_view name, std::string_view text);

// Names in the order of `sysctl -a`: net.ipv4 ..., net.ipv6 ..., net.netfilter ...,
// net.nf_conntrack_max. Those of conntrack only while tracking is on.
std::vector<std::string> sysctl_names(const Context& context);
// The same as paths below /proc/sys: "net/ipv4/ip_forward".
std::vector<std::string> sysctl_paths(const Context& context);

}  // namespace nsr::procfs
