#include "router/import/settings.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>

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
    {"net.ipv4.conf.", ".bc_forwarding", "0", "directed broadcasts are not forwarded here"},
    {"net.ipv6.conf.", ".force_forwarding", "0", "forwarding is one value for all interfaces here"},
};

// Where there is a bridge.
constexpr Unlike kOfBridges[] = {
    {"net.bridge.bridge-nf-call-iptables", "", "0", "what a bridge forwards meets no rules here"},
    {"net.bridge.bridge-nf-call-ip6tables", "", "0", "what a bridge forwards meets no rules here"},
};

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

bool has_one_value(const procfs::SysctlRow& row) {
    return row.writable() && row.least == row.most;
}

// A kernel does something there that a router never does, such as following redirects.
void tell_only(const procfs::SysctlRow& row, const SysctlLine& line, const SourceLocation& from,
               Draft& draft) {
    if (line.value != std::to_string(row.least)) {
        draft.note(from, line.name + " = " + line.value + ": it is always " +
                             std::to_string(row.least) + " here");
    }
}

// A value of one interface may stand against that of all.
bool differs(const procfs::Sysctl& sysctl, const std::string& value) {
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    return sysctl.row->spread != procfs::Spread::Nothing || read.ec != std::errc{} ||
           read.ptr != end || number != sysctl.row->initial ||
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
    SysctlFile file = parse_sysctl_file(text, dump.file);
    // What is said of all interfaces must not undo what is said of one.
    std::stable_partition(file.lines.begin(), file.lines.end(), [](const SysctlLine& line) {
        return line.name.find(".conf.all.") != std::string::npos ||
               line.name == "net.ipv4.ip_forward";
    });
    const std::vector<std::string> names = draft.interface_names();
    const bool bridges = std::any_of(links.begin(), links.end(),
                                     [](const SeenLink& link) { return link.kind == "bridge"; });
    for (const SysctlLine& line : file.lines) {
        const SourceLocation from{dump.file, line.where.line, 0};
        tell_unlike(kUnlike, line, from, names, draft);
        if (bridges) {
            tell_unlike(kOfBridges, line, from, names, draft);
        }
        const auto sysctl = procfs::find_sysctl(line.name, names);
        if (sysctl && has_one_value(*sysctl->row)) {
            tell_only(*sysctl->row, line, from, draft);
            continue;
        }
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
