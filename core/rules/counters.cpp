#include "core/rules/counters.hpp"

#include <algorithm>
#include <utility>

namespace nsr::rules {

TableCounters first_counters(const Table& table) {
    TableCounters counters;
    for (const Chain& chain : table.chains) {
        counters.add_chain(chain.counters);
        for (const Rule& rule : chain.rules) {
            counters.add_rules(&rule.counters, 1);
        }
    }
    return counters;
}

bool TableCounters::add(const TableCounters& more) {
    if (policies_.size() != more.policies_.size() || first_ != more.first_ ||
        rules_.size() != more.rules_.size()) {
        return false;
    }
    const auto plus = [](const RuleCounters& a, const RuleCounters& b) {
        return RuleCounters{a.packets + b.packets, a.bytes + b.bytes};
    };
    std::transform(policies_.begin(), policies_.end(), more.policies_.begin(), policies_.begin(),
                   plus);
    std::transform(rules_.begin(), rules_.end(), more.rules_.begin(), rules_.begin(), plus);
    return true;
}

namespace {

bool same_rules(const Chain& a, const Chain& b) {
    return a.name == b.name && a.rules.size() == b.rules.size() &&
           std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(),
                      [](const Rule& one, const Rule& other) { return one.id == other.id; });
}

bool same_chains(const Table& a, const Table& b) {
    return a.chains.size() == b.chains.size() &&
           std::equal(a.chains.begin(), a.chains.end(), b.chains.begin(), same_rules);
}

template <class Visit>
void for_each_table(const Visit& visit) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            visit(family, static_cast<TableId>(i));
        }
    }
}

bool is_zero(const RuleCounters& counters) {
    return counters.packets == 0 && counters.bytes == 0;
}

void begin_from_zero(Chain& chain) {
    chain.counters = {};
    for (std::size_t at = 0; at < chain.rules.size(); ++at) {
        if (!is_zero(chain.rules[at].counters)) {
            Rule rule = chain.rules[at];
            rule.counters = {};
            chain.rules.replace(at, std::move(rule));
        }
    }
}

}  // namespace

void add_counters(Counted& sum, const Counted& more) {
    for_each_table([&](Family family, TableId id) {
        const Ruleset& ours = sum.ruleset;
        const Ruleset& theirs = more.ruleset;
        if (same_chains(ours.table(family, id), theirs.table(family, id))) {
            sum.counters.table(family, id).add(more.counters.table(family, id));
        }
    });
}

Ruleset from_zero(Ruleset ruleset) {
    for_each_table([&](Family family, TableId id) {
        const Table& table = std::as_const(ruleset).table(family, id);
        for (std::size_t number = 0; number < table.chains.size(); ++number) {
            const Chain& chain = table.chains[number];
            const bool counts_already =
                !is_zero(chain.counters) ||
                std::any_of(chain.rules.begin(), chain.rules.end(),
                            [](const Rule& rule) { return !is_zero(rule.counters); });
            if (counts_already) {
                begin_from_zero(ruleset.table(family, id).chains.change(number));
            }
        }
    });
    return ruleset;
}

}  // namespace nsr::rules
