#include "core/rules/needs.hpp"

#include <algorithm>
#include <set>

#include "core/rules/match.hpp"
#include "core/rules/save.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

std::optional<ConfigError> tracking_user(const Ruleset& ruleset, Family family) {
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        const Table& table = ruleset.table(family, id);
        for (const Chain& chain : table.chains) {
            for (const auto& block : chain.rules.blocks()) {
                for (const RuleBlock::Row& row : block->rows) {
                    if (row.needs_tracking) {
                        return ConfigError{row.rule->where, rule_text(chain.name, *row.rule)};
                    }
                }
            }
        }
        if (id == TableId::Nat && table.loaded) {
            return ConfigError{
                {},
                family == Family::Ipv4 ? "the loaded IPv4 nat table" : "the loaded IPv6 nat table"};
        }
    }
    return std::nullopt;
}

std::string needs_tracking(const Ruleset& ruleset, Family family) {
    const auto user = tracking_user(ruleset, family);
    if (!user) {
        return {};
    }
    return user->where.file.empty() ? user->message : to_string(*user);
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

namespace {

bool names(const std::string& options, std::string_view option) {
    return options.find(option) != std::string::npos;
}

// Of `statistic` the random mode counts nothing.
bool remembers(const Match& match) {
    const bool random = match.module() == "statistic" && names(match.save(), "--mode random");
    return match.make_state() != nullptr && !random;
}

// Empty: it can be divided.
std::string why_one_shard(const Rule& rule) {
    for (const auto& match : rule.matches) {
        if (!match->set_name().empty()) {
            return "address sets";
        }
        if (match->module() == "nfacct") {
            return "-m nfacct";
        }
        if (remembers(*match)) {
            return "what -m " + std::string(match->module()) + " remembers";
        }
    }
    const Target* target = rule.target.get();
    if (target == nullptr) {
        return {};
    }
    if (!target->set_names().empty() || target->asks_sets()) {
        return "address sets";
    }
    const Match* memory = target->memory();
    if ((memory != nullptr && remembers(*memory)) || target->name() == "NFLOG" ||
        target->name() == "TRACE") {
        return "-j " + target->name();
    }
    if (const nat::Range* range = target->source_range(); range != nullptr && range->behaves) {
        return "a NAT whose mappings are for all destinations";
    }
    if (target->name() == "CT") {
        const std::string options = target->save();
        for (const std::string_view option : {"--helper", "--timeout", "--zone"}) {
            if (names(options, option)) {
                return "CT " + std::string(option);
            }
        }
    }
    return {};
}

std::optional<ConfigError> needs_one_shard(const Table& table) {
    for (const Chain& chain : table.chains) {
        for (const auto& block : chain.rules.blocks()) {
            for (const RuleBlock::Row& row : block->rows) {
                if (const std::string why = why_one_shard(*row.rule); !why.empty()) {
                    return ConfigError{row.rule->where, "\"-A " + rule_text(chain.name, *row.rule) +
                                                            "\" needs shards = 1: " + why +
                                                            " cannot be divided among several"};
                }
            }
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<ConfigError> needs_one_shard(const Ruleset& ruleset) {
    for (std::size_t i = 0; i < kTableCount; ++i) {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            if (auto found = needs_one_shard(ruleset.table(family, static_cast<TableId>(i)))) {
                return found;
            }
        }
    }
    return std::nullopt;
}

}  // namespace nsr::rules
