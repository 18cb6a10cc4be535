// Sysctls as text: looked up by name once, then read, or set on a value.
//
// Theory of operation
//   What there is stands in one table (sysctl_table.hpp), a row each. A Sysctl is a row that was
//   found, and for those of net.*.conf whose value. It lives in pipeline::Settings:
//   to set it is to change such a value, and that needs no router, so a configuration is checked on
//   a copy. A write to a running router sets a copy of its settings and hands that back to it.
//   Numbers are parsed as the kernel does it: leading blanks, a minus, 0x and leading 0, and text
//   behind a blank is ignored.
// kernel: proc_dointvec and its kin; sysctl(8)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/pipeline/settings.hpp"
#include "core/procfs/failure.hpp"
#include "core/procfs/file.hpp"
#include "core/procfs/sysctl_table.hpp"

namespace nsr::procfs {

struct Sysctl {
    enum class Scope : std::uint8_t { All, Default, Interface };

    const SysctlRow* row = nullptr;
    Scope scope = Scope::All;           // valid iff the row is per interface
    IfIndex interface = IfIndex::None;  // valid iff the scope is Interface
};

// The path below /proc/sys that a name means. Whichever of `.` and `/` comes first separates; the
// other one then stands for itself in names of interfaces: net.ipv4.conf.eth0/100.rp_filter is
// net/ipv4/conf/eth0.100/rp_filter. sysctl(8)
std::string sysctl_path(std::string_view name);
// "net.netfilter.nf_conntrack_max" or "net/netfilter/nf_conntrack_max"; `interfaces` are the names
// of those with the indices 1, 2, ... Nothing: there is no such key.
std::optional<Sysctl> find_sysctl(std::string_view name,
                                  const std::vector<std::string>& interfaces);
// The same in a running router, where those of conntrack exist only while tracking is on.
std::optional<Sysctl> find_sysctl(std::string_view name, const Context& context);

// Why a router has no such key, for those that many hosts set: "the router has no sockets ...".
// Empty: nobody knows the key.
std::string_view why_no_sysctl(std::string_view name);

// As sysctl(8) shows it, without line break.
std::string read_sysctl(const Sysctl& sysctl, const Context& context);
// For many of them: `settings` is a copy of the router's.
std::string read_sysctl(const Sysctl& sysctl, const Context& context, pipeline::Settings& settings);
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

// By name, with NoEntry for what does not exist now, and why_no_sysctl().
Result<std::string, Failure> read_sysctl(const Context& context, std::string_view name);
Result<Done, Failure> write_sysctl(Context& context, std::string_view name, std::string_view text);

// Names in the order of `sysctl -a`: net.ipv4 ..., net.ipv6 ..., net.netfilter ...,
// net.nf_conntrack_max. Those of conntrack only while tracking is on.
std::vector<std::string> sysctl_names(const Context& context);
// The same, and what each of them is.
struct NamedSysctl {
    std::string name;
    std::string value;
};
std::vector<NamedSysctl> read_all_sysctls(const Context& context);
// The same as paths below /proc/sys: "net/ipv4/ip_forward".
std::vector<std::string> sysctl_paths(const Context& context);

}  // namespace nsr::procfs
