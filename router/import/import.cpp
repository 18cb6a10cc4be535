#include "router/import/import.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "netlink/error.hpp"
#include "router/config/load.hpp"
#include "router/import/draft.hpp"
#include "router/import/dumps.hpp"
#include "router/import/links.hpp"
#include "router/import/routes.hpp"
#include "router/import/rules.hpp"
#include "router/import/settings.hpp"
#include "router/tools/conntrack/saved_table.hpp"

namespace nsr::router {
namespace {

// Leaving out one thing may cost another, which depends on it, a few times over.
constexpr int kMostRounds = 20;

void write_file(const std::filesystem::path& path, const std::string& text) {
    errno = 0;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) {
        throw SystemError("write " + path.string(), errno == 0 ? EIO : errno);
    }
}

// Lines that are wrong stay as comments.
std::size_t add_table(const Dumps& dumps, Draft& draft) {
    const Dump& dump = dumps[DumpId::Conntrack];
    DraftFile file{kImportedTable, dump.file, "", dump.lines};
    const auto table = parse_saved_table(file.text(), dump.file);
    if (!table) {
        for (const ConfigError& error : table.error()) {
            draft.leave_out({dump.file, error.where.line, 0}, "connection: " + error.message);
            file.lines[error.where.line - 1].insert(0, kLeftOut);
        }
    }
    const auto rest = parse_saved_table(file.text(), dump.file);
    for (const ConfigError& told : left_out_of(*rest)) {
        draft.leave_out(told.where, told.message);
    }
    draft.track(!rest->connections.empty());
    draft.add_file(std::move(file));
    return rest->connections.size();
}

void tell_missing(const Dumps& dumps, Draft& draft) {
    for (const DumpRow& row : dump_rows()) {
        const bool of_json = row.id == DumpId::Addresses && dumps[DumpId::AddressesJson].there;
        if (row.unknown != nullptr && !dumps[row.id].there && !of_json) {
            draft.note({row.file, 0, 0},
                       std::string("it is not there, so of ") + row.unknown + " nothing is known");
        }
    }
}

void write_all(Draft& draft, const std::filesystem::path& into) {
    write_file(into / kImportedConfig, draft.compose());
    for (const DraftFile& file : draft.files()) {
        write_file(into / file.name, file.text());
    }
}

// Until it loads. What cannot be left out ends it.
ConfigErrors settle(Draft& draft, const std::filesystem::path& into, std::uint64_t memory_bytes) {
    for (int round = 0; round < kMostRounds; ++round) {
        write_all(draft, into);
        const auto config = load_config((into / kImportedConfig).string(), memory_bytes);
        if (config) {
            return {};
        }
        for (const ConfigError& error : config.error()) {
            if (!draft.drop(error, kImportedConfig)) {
                return config.error();
            }
        }
    }
    return {{{kImportedConfig, 0, 0}, "too much of it depends on what cannot be taken over"}};
}

Imported summary(const Draft& draft, std::size_t connections) {
    Imported done;
    done.interfaces = draft.count(PieceKind::Interface);
    done.addresses = draft.count(PieceKind::Address);
    done.routes = draft.count(PieceKind::Route);
    done.routing_rules = draft.count(PieceKind::Rule);
    done.sysctls = draft.count(PieceKind::Sysctl);
    for (const DraftFile& file : draft.files()) {
        done.sets += file.key == "ipset" ? sets_in(file) : 0;
        done.rules += file.key.starts_with("ipv") ? rules_in(file) : 0;
    }
    done.connections = connections;
    done.left_out = draft.left_out();
    done.notes = draft.notes();
    return done;
}

}  // namespace

Result<Imported, ConfigErrors> import_host(const std::string& from, const std::string& into,
                                           std::uint64_t memory_bytes) {
    const auto dumps = read_dumps(from);
    if (!dumps) {
        return ConfigErrors{{{}, dumps.error()}};
    }
    const auto links = read_links(*dumps);
    if (!links) {
        return links.error();
    }
    Draft draft;
    tell_missing(*dumps, draft);
    add_links(*links, connected_routes(*dumps), draft);
    add_routes(*dumps, *links, draft);
    add_policy_rules(*dumps, draft);
    add_sysctls(*dumps, *links, draft);
    if (auto refusal = add_rules(*dumps, draft)) {
        return ConfigErrors{std::move(*refusal)};
    }
    const std::size_t connections = add_table(*dumps, draft);
    if (ConfigErrors errors = settle(draft, into, memory_bytes); !errors.empty()) {
        return errors;
    }
    return summary(draft, connections);
}

}  // namespace nsr::router
