#include "core/rules/needs.hpp"

#include <algorithm>
#include <set>

#include "core/rules/match.hpp"
#include "core/rules/save.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

std::string needs_tracking(const Ruleset& ruleset, Family family) {
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        const Table& table = ruleset.table(family, id);
        for (const Chain& chain : table.chains) {
            for (const Rule& rule : chain.rules) {
                const bool needs =
                    (rule.target != nullptr && rule.target->needs_tracking()) ||
                    std::any_of(rule.matches.begin(), rule.matches.end(),
                                [](const auto& match) { return match->needs_tracking(); });
                if (needs) {
                    return to_string(ConfigError{rule.where, rule_text(chain.name, rule)});
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
    const auto look_at = [&](const Rule& rule) {
        for (const auto& match : rule.matches) {
            if (match->needs_accounting()) {
                found.insert(match.get());
            }
        }
    };
    for (const auto& family : ruleset.tables) {
        for (const Table& table : family) {
            for (const Chain& chain : table.chains) {
                std::for_each(chain.rules.begin(), chain.rules.end(), look_at);
            }
        }
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
