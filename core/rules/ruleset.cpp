#include "core/rules/ruleset.hpp"

#include <algorithm>
#include <set>

#include "core/rules/match.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

constexpr std::array<std::string_view, kTableCount> kTableNames = {"raw", "mangle", "nat", "filter",
                                                                   "security"};

// Bit per Hook. kernel: valid_hooks of each table
constexpr std::array<std::uint8_t, kTableCount> kTableHooks = {
    bit(Hook::Prerouting) | bit(Hook::Output),
    kAllHooks,
    bit(Hook::Prerouting) | bit(Hook::Input) | bit(Hook::Output) | bit(Hook::Postrouting),
    bit(Hook::Input) | bit(Hook::Forward) | bit(Hook::Output),
    bit(Hook::Input) | bit(Hook::Forward) | bit(Hook::Output),
};

}  // namespace

std::string_view name_of(TableId table) {
    return kTableNames[static_cast<std::size_t>(table)];
}

std::optional<TableId> parse_table(std::string_view name) {
    const auto* found = std::find(kTableNames.begin(), kTableNames.end(), name);
    if (found == kTableNames.end()) {
        return std::nullopt;
    }
    return static_cast<TableId>(found - kTableNames.begin());
}

bool has_chain(TableId table, Hook hook) {
    return (kTableHooks[static_cast<std::size_t>(table)] & bit(hook)) != 0;
}

Chain& Table::add(std::string name, Policy policy) {
    places_.emplace(name, chains.size());
    return chains.emplace_back(Chain{std::move(name), policy, {}, {}});
}

Chain* Table::find(std::string_view chain) {
    const auto found = places_.find(chain);
    return found == places_.end() ? nullptr : &chains[found->second];
}

const Chain* Table::find(std::string_view chain) const {
    const auto found = places_.find(chain);
    return found == places_.end() ? nullptr : &chains[found->second];
}

Table& Ruleset::load(Family family, TableId id) {
    Table& loaded = table(family, id);
    if (!loaded.loaded) {
        loaded.loaded = true;
        for (unsigned i = 0; i < kHookCount; ++i) {
            if (has_chain(id, static_cast<Hook>(i))) {
                loaded.add(std::string(nsr::name_of(static_cast<Hook>(i))), Policy::Accept);
            }
        }
    }
    return loaded;
}

const Rule* add_rule(Ruleset& ruleset, Chain& chain, Rule rule) {
    rule.id = ruleset.next_id;
    ruleset.next_id = RuleId{raw(ruleset.next_id) + 1};
    chain.rules.push_back(std::move(rule));
    return &chain.rules.back();
}

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
