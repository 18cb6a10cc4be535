#include "router/replay/stats.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/procfs/nf_conntrack.hpp"
#include "core/procfs/nf_conntrack_expect.hpp"
#include "core/rules/save.hpp"

namespace nsr::router {
namespace {

std::string counters(const Router& router);
void append_table(std::string& out, const rules::Counted& counted, Family family,
                  std::string_view name);
std::vector<std::string> tables_of(const rules::Ruleset& ruleset, Family family,
                                   const std::vector<std::string>& named);

}  // namespace

std::string checkpoint_text(const Router& router, Instant now) {
    std::array<char, 48> heading{};
    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    std::snprintf(heading.data(), heading.size(), "# t=%g\n", seconds);
    return heading.data() + procfs::conntrack_snapshot(router.conntrack(), now) +
           procfs::expect_snapshot(router.conntrack(), now);
}

std::string stats_text(const Router& router, const std::vector<std::string>& tables4,
                       const std::vector<std::string>& tables6) {
    return stats_text(router, router.counted(), tables4, tables6);
}

std::string stats_text(const Router& router, const rules::Counted& counted,
                       const std::vector<std::string>& tables4,
                       const std::vector<std::string>& tables6) {
    std::string text = counters(router);
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const auto& named = family == Family::Ipv4 ? tables4 : tables6;
        for (const std::string& table : tables_of(counted.ruleset, family, named)) {
            append_table(text, counted, family, table);
        }
    }
    return text;
}

namespace {

std::string counters(const Router& router) {
    const conntrack::Stats& stats = router.conntrack().stats();
    const std::pair<const char*, std::uint64_t> rows[] = {{"invalid", stats.invalid},
                                                          {"insert_failed", stats.insert_failed},
                                                          {"drop", stats.drop},
                                                          {"early_drop", stats.early_drop},
                                                          {"icmp_error", stats.icmp_error},
                                                          {"expect_new", stats.expect_new},
                                                          {"expect_create", stats.expect_create},
                                                          {"clashres", stats.clashres}};
    std::string text;
    for (const auto& [name, value] : rows) {
        text += "stat " + std::string(name) + " " + std::to_string(value) + "\n";
    }
    return text + "count " + std::to_string(router.connections()) + "\n";
}

void append_table(std::string& out, const rules::Counted& counted, Family family,
                  std::string_view name) {
    const auto id = rules::parse_table(name);
    if (!id || !counted.ruleset.table(family, *id).loaded) {
        return;
    }
    const std::string head = (family == Family::Ipv4 ? "v4 " : "v6 ") + std::string(name) + " ";
    for (const std::string& line : rules::save_lines(counted.ruleset.table(family, *id),
                                                     counted.counters.table(family, *id))) {
        out += head + line + "\n";
    }
}

std::vector<std::string> tables_of(const rules::Ruleset& ruleset, Family family,
                                   const std::vector<std::string>& named) {
    if (!named.empty()) {
        return named;
    }
    std::vector<std::string> tables;
    for (std::size_t i = 0; i < rules::kTableCount; ++i) {
        const rules::TableId table{static_cast<std::uint8_t>(i)};
        if (ruleset.table(family, table).loaded) {
            tables.emplace_back(rules::name_of(table));
        }
    }
    return tables;
}

}  // namespace
}  // namespace nsr::router
