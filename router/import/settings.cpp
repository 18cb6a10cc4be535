#include "router/import/settings.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <span>

#include "core/procfs/sysctl.hpp"
#include "router/config/sysctl_file.hpp"

namespace nsr::router {
namespace {

// What a kernel does with packets and the router does not, where the value is another one than it
// behaves like. `*` is an interface.
struct Unlike {
    std::string_view before;
    std::string_view behind;
    std::string_view here;
    std::string_view meaning;
};
constexpr Unlike kUnlike[] = {
    {"net.ipv4.conf.", ".accept_local", "0", "packets from its own addresses are martians here"},
    {"net.ipv4.conf.", ".route_localnet", "0", "127.0.0.0/8 is not routed here"},
    {"net.ipv4.conf.", ".bc_forwarding", "0", "directed broadcasts are not forwarded here"},
    {"net.ipv6.conf.", ".force_forwarding", "0", "forwarding is one value for all interfaces here"},
    {"net.ipv6.conf.", ".disable_ipv6", "0", "IPv6 packets of this interface are not refused here"},
    {"net.ipv4.icmp_echo_ignore_all", "", "0", "echo requests are answered here"},
    {"net.ipv6.icmp.echo_ignore_all", "", "0", "echo requests are answered here"},
};

// Where there is a bridge.
constexpr Unlike kOfBridges[] = {
    {"net.bridge.bridge-nf-call-iptables", "", "0", "what a bridge forwards meets no rules here"},
    {"net.bridge.bridge-nf-call-ip6tables", "", "0", "what a bridge forwards meets no rules here"},
};

using Values = std::map<std::string, std::string, std::less<>>;

// The interface of a key of the table above; empty where it has none. Nothing: another key.
std::optional<std::string_view> match(const Unlike& row, std::string_view key) {
    if (row.behind.empty()) {
        return key == row.before ? std::optional<std::string_view>("") : std::nullopt;
    }
    if (!key.starts_with(row.before) || !key.ends_with(row.behind) ||
        key.size() <= row.before.size() + row.behind.size()) {
        return std::nullopt;
    }
    return key.substr(row.before.size(), key.size() - row.before.size() - row.behind.size());
}

void tell_unlike(std::span<const Unlike> rows, const SysctlLine& line, const SourceLocation& from,
                 const std::vector<std::string>& names, Draft& draft) {
    for (const Unlike& row : rows) {
        const auto interface = match(row, line.name);
        const bool counts =
            interface && (interface->empty() || *interface == "all" ||
                          std::find(names.begin(), names.end(), *interface) != names.end());
        if (counts && line.value != row.here) {
            draft.leave_out(from, line.name + " = " + line.value + ": " + std::string(row.meaning));
        }
    }
}

// Forwarding of IPv4 is a value of each interface that packets come by.
void tell_forwarding(const Values& values, const SysctlLine& line, const SourceLocation& from,
                     const std::vector<std::string>& names, Draft& draft) {
    constexpr Unlike kForwarding{"net.ipv4.conf.", ".forwarding", "", ""};
    const auto interface = match(kForwarding, line.name);
    const auto all = values.find("net.ipv4.ip_forward");
    const bool counts =
        interface && std::find(names.begin(), names.end(), *interface) != names.end();
    if (counts && all != values.end() && all->second != line.value) {
        draft.leave_out(
            from, line.name + " = " + line.value + ": ip_forward counts for all interfaces here");
    }
}

bool differs(const procfs::Sysctl& sysctl, const std::string& value) {
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    return read.ec != std::errc{} || read.ptr != end || number != sysctl.row->initial ||
           sysctl.row->kind == procfs::SysctlKind::Max ||
           sysctl.row->kind == procfs::SysctlKind::Buckets;
}

}  // namespace

void add_sysctls(const Dumps& dumps, const std::vector<SeenLink>& links, Draft& draft) {
    const Dump& dump = dumps[DumpId::Sysctl];
    std::string text;
    for (const std::string& line : dump.lines) {
        text += line + "\n";
    }
    const SysctlFile file = parse_sysctl_file(text, dump.file);
    const std::vector<std::string> names = draft.interface_names();
    const bool bridges = std::any_of(links.begin(), links.end(),
                                     [](const SeenLink& link) { return link.kind == "bridge"; });
    Values values;
    for (const SysctlLine& line : file.lines) {
        values[line.name] = line.value;
    }
    for (const SysctlLine& line : file.lines) {
        const SourceLocation from{dump.file, line.where.line, 0};
        tell_unlike(kUnlike, line, from, names, draft);
        if (bridges) {
            tell_unlike(kOfBridges, line, from, names, draft);
        }
        tell_forwarding(values, line, from, names, draft);
        const auto sysctl = procfs::find_sysctl(line.name, names);
        const bool again = line.name == "net.nf_conntrack_max";  // an alias
        if (sysctl && sysctl->row->writable() && !again && differs(*sysctl, line.value)) {
            draft.add({PieceKind::Sysctl,
                       from,
                       line.name + " = " + line.value,
                       {toml_string(line.name) + " = " + toml_string(line.value)}});
        }
    }
}

}  // namespace nsr::router
