#include "router/import/rules.hpp"

#include <algorithm>
#include <set>

namespace nsr::router {
namespace {

// Names of tables behind a family: "ip filter".
using Tables = std::set<std::string, std::less<>>;

struct FamilyFiles {
    const char* family;  // as nft calls it
    DumpId dump;
    DumpId legacy;
    const char* key;
    const char* name;
};
constexpr FamilyFiles kFamilies[] = {
    {"ip", DumpId::Iptables, DumpId::IptablesLegacy, "ipv4", "rules.v4"},
    {"ip6", DumpId::Ip6tables, DumpId::Ip6tablesLegacy, "ipv6", "rules.v6"},
};

bool has_tables(const Dump& dump) {
    return std::any_of(dump.lines.begin(), dump.lines.end(),
                       [](const std::string& line) { return line.starts_with('*'); });
}

// "# Table `mangle' contains incompatible base-chains, use 'nft' tool to list them."
void take_incompatible(const std::string& line, const std::string& family, Tables& tables) {
    constexpr std::string_view kTable = "# Table `";
    const std::size_t end = line.find('\'');
    if (line.starts_with(kTable) && end != std::string::npos &&
        line.find("incompatible") != std::string::npos) {
        tables.erase(family + " " + line.substr(kTable.size(), end - kTable.size()));
    }
}

// Tables of nft that are those of iptables.
Tables tables_of_iptables(const Dumps& dumps) {
    Tables tables;
    for (const FamilyFiles& each : kFamilies) {
        const Dump& dump = dumps[each.dump];
        for (const std::string& line : dump.lines) {
            if (line.starts_with('*')) {
                tables.insert(std::string(each.family) + " " + line.substr(1));
            }
        }
        for (const std::string& line : dump.lines) {
            take_incompatible(line, each.family, tables);
        }
    }
    return tables;
}

// Tables with a chain at a hook, of those families whose packets nsrouter sees, that are nft's own;
// each with the line that it begins in. The text is that of `nft list chains`.
std::vector<std::pair<std::string, std::size_t>> native_tables(const Dumps& dumps) {
    const Tables known = tables_of_iptables(dumps);
    const Dump& dump = dumps[DumpId::Nft];
    std::vector<std::pair<std::string, std::size_t>> native;
    std::string table;
    std::size_t begins = 0;
    for (std::size_t i = 0; i < dump.lines.size(); ++i) {
        const auto words = words_of(dump.lines[i]);
        if (words.size() >= 3 && words[0] == "table") {
            table = std::string(words[1]) + " " + std::string(words[2]);
            begins = i;
        }
        const bool hooked = std::find(words.begin(), words.end(), "hook") != words.end();
        if (hooked && !table.empty() && !table.starts_with("arp ") && !known.contains(table)) {
            native.emplace_back(table, begins);
            table.clear();
        }
    }
    return native;
}

void add_family(const FamilyFiles& family, const Dumps& dumps, Draft& draft) {
    const Dump* dump = &dumps[family.dump];
    const Dump& legacy = dumps[family.legacy];
    if (has_tables(legacy) && has_tables(*dump)) {
        if (legacy.lines != dump->lines) {
            draft.leave_out({legacy.file, 0, 0},
                            "rules of iptables-legacy beside those of iptables-nft in " +
                                dump->file + ": a packet meets both there, and the latter here");
        }
    } else if (has_tables(legacy)) {
        dump = &legacy;
    }
    if (has_tables(*dump)) {
        draft.add_file({family.name, dump->file, family.key, dump->lines});
    }
}

std::size_t count_lines(const DraftFile& file, bool (*counts)(std::string_view line)) {
    return static_cast<std::size_t>(
        std::count_if(file.lines.begin(), file.lines.end(),
                      [&](const std::string& line) { return counts(line); }));
}

}  // namespace

std::optional<ConfigError> add_rules(const Dumps& dumps, Draft& draft) {
    for (const FamilyFiles& family : kFamilies) {
        add_family(family, dumps, draft);
    }
    const bool others = !draft.files().empty();
    for (const auto& [table, line] : native_tables(dumps)) {
        const SourceLocation where = dumps[DumpId::Nft].at(line);
        if (!others) {
            return ConfigError{where, "the rules of this machine are nft's own (table " + table +
                                          "), and those are not read; what iptables-save prints "
                                          "is, of iptables-legacy and of iptables-nft alike"};
        }
        draft.leave_out(where, "table " + table +
                                   " of nft: its rules are not read, so packets "
                                   "that it refuses pass here");
    }
    const Dump& sets = dumps[DumpId::Ipset];
    if (!sets.lines.empty()) {
        draft.add_file({"sets.ipset", sets.file, "ipset", sets.lines});
    }
    return std::nullopt;
}

std::size_t rules_in(const DraftFile& file) {
    return count_lines(file, [](std::string_view line) {
        const std::size_t behind = line.starts_with('[') ? line.find(' ') : std::string_view::npos;
        return line.substr(behind == std::string_view::npos ? 0 : behind + 1).starts_with("-A ");
    });
}

std::size_t sets_in(const DraftFile& file) {
    return count_lines(file, [](std::string_view line) { return line.starts_with("create "); });
}

}  // namespace nsr::router
