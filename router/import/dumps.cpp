#include "router/import/dumps.hpp"

#include <algorithm>
#include <filesystem>

#include "router/base/text_file.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// clang-format off
constexpr std::array<DumpRow, kDumps> kRows = {{
    {DumpId::AddressesJson, "addresses.json", {"ip -j -d addr show"}, nullptr},
    {DumpId::Links, "links.txt", {"ip -o link show"}, nullptr},
    {DumpId::Addresses, "addresses.txt", {"ip -o addr show"}, "interfaces"},
    {DumpId::Routes4, "routes4.txt", {"ip -4 -o route show table all"}, "IPv4 routes"},
    {DumpId::Routes6, "routes6.txt", {"ip -6 -o route show table all"}, "IPv6 routes"},
    {DumpId::Rules4, "rules4.txt", {"ip -4 rule show"}, "IPv4 routing rules"},
    {DumpId::Rules6, "rules6.txt", {"ip -6 rule show"}, "IPv6 routing rules"},
    {DumpId::TableNames, "rt_tables.txt", {"cat /etc/iproute2/rt_tables", "cat /usr/share/iproute2/rt_tables"}, nullptr},
    {DumpId::Iptables, "iptables.txt", {"iptables-save -c"}, "IPv4 rules"},
    {DumpId::Ip6tables, "ip6tables.txt", {"ip6tables-save -c"}, "IPv6 rules"},
    {DumpId::IptablesLegacy, "iptables-legacy.txt", {"iptables-legacy-save -c"}, nullptr},
    {DumpId::Ip6tablesLegacy, "ip6tables-legacy.txt", {"ip6tables-legacy-save -c"}, nullptr},
    {DumpId::Nft, "nft.txt", {"nft list chains"}, nullptr},
    {DumpId::Ipset, "ipset.txt", {"ipset save"}, "address sets"},
    {DumpId::Sysctl, "sysctl.txt", {"sysctl -a"}, "sysctls"},
    {DumpId::Conntrack, "conntrack.txt", {"conntrack -L -f ipv4 -o extended && conntrack -L -f ipv6 -o extended", "cat /proc/net/nf_conntrack"}, "connections"},
}};
// clang-format on

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        lines.emplace_back(line);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return lines;
}

}  // namespace

const std::array<DumpRow, kDumps>& dump_rows() {
    return kRows;
}

Result<Dumps, std::string> read_dumps(const std::string& folder) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) {
        return folder + " is no folder";
    }
    Dumps dumps;
    for (const DumpRow& row : kRows) {
        Dump& dump = dumps[row.id];
        dump.file = row.file;
        const std::string path = (std::filesystem::path(folder) / row.file).string();
        if (!std::filesystem::exists(path, ignored)) {
            continue;
        }
        const auto text = read_text_file(path, kMostBytes);
        if (!text) {
            return path + ": " + text.error().text;
        }
        dump.there = true;
        dump.lines = lines_of(*text);
    }
    return dumps;
}

}  // namespace nsr::router
