#include "core/rules/needs.hpp"

#include <algorithm>
#include <set>

#include "core/rules/save.hpp"

namespace nsr::rules {

std::string needs_tracking(const Ruleset& ruleset, Family family) {
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        const Table& table = ruleset.table(family, id);
        for (const Chain& chain : table.chains) {
            for (const auto& block : chain.rules.blocks()) {
                for (const RuleBlock::Row& row : block->rows) {
                    if (row.needs_tracking) {
                        return to_string(
                            ConfigError{row.rule->where, rule_text(chain.name, *row.rule)});
                    }
                }
            }
        }
        if (id == TableId::Nat && table.loaded) {
            return family == Family::Ipv4 ? "the loaded IPv4 nat table"
                                          : "the loaded IPv6 nat table";
        }
    }
    return {};
}

namespace {

std::set<const Match*> accounting_matches(const Ruleset& ruleset) {
    std::set<const Match*> found;
    const auto look_at = [&](const Table& table) {
        for (const Chain& chain : table.chains) {
            for (const auto& block : chain.rules.blocks()) {
                for (const RuleBlock::Row& row : block->rows) {
                    if (row.needs_accounting) {
                        for (const auto& match : row.rule->matches) {
                            found.insert(match.get());
                        }
                    }
                }
            }
        }
    };
    for (std::size_t i = 0; i < kTableCount; ++i) {
        look_at(ruleset.table(Family::Ipv4, static_cast<TableId>(i)));
        look_at(ruleset.table(Family::Ipv6, static_cast<TableId>(i)));
    }
    return found;
}

}  // namespace

// A rule that stays shares its matches with what was before.
bool begins_accounting(const Ruleset& ruleset, const Ruleset& before) {
    const auto now = accounting_matches(ruleset);
    const auto then = accounting_matches(before);
    return !std::includes(then.begin(), then.end(), now.begin(), now.end());
}

}  // namespace nsr::rules
