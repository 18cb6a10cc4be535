#include "core/rules/edit.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/rules/save.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

Chain* find(Ruleset& ruleset, const ChainAt& at) {
    Table& table = ruleset.load(at.family, at.table);
    return std::as_const(table).find(at.chain) == nullptr ? nullptr : table.find(at.chain);
}

bool has_rule(const Chain& chain, std::size_t position) {
    return position >= 1 && position <= chain.rules.size();
}

}  // namespace

Edited insert_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position, Rule rule) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    if (position == 0 || position > chain->rules.size() + 1) {
        return EditError::IndexTooBig;
    }
    rule.id = take_id(ruleset);
    chain->rules.insert(position - 1, std::move(rule));
    return Done{};
}

Edited append_rule(Ruleset& ruleset, const ChainAt& at, Rule rule) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    add_rule(ruleset, *chain, std::move(rule));
    return Done{};
}

Edited replace_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position, Rule rule) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    if (!has_rule(*chain, position)) {
        return EditError::IndexTooBig;
    }
    rule.id = take_id(ruleset);
    chain->rules.replace(position - 1, std::move(rule));
    return Done{};
}

Edited delete_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    if (!has_rule(*chain, position)) {
        return EditError::IndexTooBig;
    }
    chain->rules.erase(position - 1);
    return Done{};
}

std::optional<std::size_t> find_rule(const Ruleset& ruleset, const ChainAt& at, const Rule& like) {
    const Chain* chain = ruleset.table(at.family, at.table).find(at.chain);
    if (chain == nullptr) {
        return std::nullopt;
    }
    const std::string wanted = rule_text({}, like);
    const auto name_of_target = [](const Rule& rule) {
        return rule.target == nullptr ? std::string_view() : std::string_view(rule.target->name());
    };
    std::size_t position = 0;
    for (const Rule& rule : chain->rules) {
        ++position;
        // Texts are made only of what can be the same.
        if (rule.matches.size() == like.matches.size() &&
            name_of_target(rule) == name_of_target(like) && rule_text({}, rule) == wanted) {
            return position;
        }
    }
    return std::nullopt;
}

Edited add_chain(Ruleset& ruleset, const ChainAt& at) {
    Table& table = ruleset.load(at.family, at.table);
    if (std::as_const(table).find(at.chain) != nullptr) {
        return EditError::ChainExists;
    }
    table.add(std::string(at.chain), Policy::None);
    return Done{};
}

Edited delete_chain(Ruleset& ruleset, const ChainAt& at) {
    Table& table = ruleset.load(at.family, at.table);
    const Chain* chain = std::as_const(table).find(at.chain);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    if (chain->policy != Policy::None) {
        return EditError::BuiltIn;
    }
    if (references(table, at.chain) != 0) {
        return EditError::ChainInUse;
    }
    if (!chain->rules.empty()) {
        return EditError::ChainNotEmpty;
    }
    table.remove(at.chain);
    return Done{};
}

Edited rename_chain(Ruleset& ruleset, const ChainAt& at, std::string_view name) {
    Table& table = ruleset.load(at.family, at.table);
    if (std::as_const(table).find(name) != nullptr) {
        return EditError::ChainExists;
    }
    const Chain* chain = std::as_const(table).find(at.chain);
    if (chain == nullptr || chain->policy != Policy::None) {
        return EditError::NoChain;
    }
    table.rename(at.chain, std::string(name));
    for (std::size_t c = 0; c < table.chains.size(); ++c) {
        for (std::size_t r = 0; r < table.chains[c].rules.size(); ++r) {
            if (jump_of(table.chains[c].rules[r]) == at.chain) {
                Rule rule = table.chains[c].rules[r];
                rule.target = rule.target->renamed(name);
                table.chains.change(c).rules.replace(r, std::move(rule));
            }
        }
    }
    return Done{};
}

Edited flush_chain(Ruleset& ruleset, const ChainAt& at) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    chain->rules.clear();
    return Done{};
}

Edited set_policy(Ruleset& ruleset, const ChainAt& at, Policy policy,
                  const RuleCounters& counters) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr || chain->policy == Policy::None) {
        return EditError::NotBuiltIn;
    }
    chain->policy = policy;
    count_from(*chain, counters);
    return Done{};
}

Edited zero_chain(Ruleset& ruleset, const ChainAt& at) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    count_from(*chain, {});
    for (std::size_t position = 1; position <= chain->rules.size(); ++position) {
        static_cast<void>(zero_rule(ruleset, at, position));
    }
    return Done{};
}

Edited zero_rule(Ruleset& ruleset, const ChainAt& at, std::size_t position) {
    Chain* chain = find(ruleset, at);
    if (chain == nullptr) {
        return EditError::NoChain;
    }
    if (!has_rule(*chain, position)) {
        return EditError::IndexTooBig;
    }
    Rule rule = chain->rules[position - 1];
    count_from(rule, {});
    chain->rules.replace(position - 1, std::move(rule));
    return Done{};
}

std::string_view jump_of(const Rule& rule) {
    const bool jumps = rule.target != nullptr && rule.target->jump() != Target::Jump::None;
    return jumps ? std::string_view(rule.target->name()) : std::string_view();
}

std::size_t references(const Table& table, std::string_view chain) {
    std::size_t count = 0;
    for (const Chain& each : table.chains) {
        for (const Rule& rule : each.rules) {
            count += jump_of(rule) == chain ? 1 : 0;
        }
    }
    return count;
}

namespace {

// The same values under the same id: a rule that was never touched.
bool untouched(const Rule& a, const Rule& b) {
    return a.id == b.id && a.target == b.target && a.matches == b.matches;
}

// Nothing tells the two apart: they may be one.
bool alike(const Rule& a, const Rule& b) {
    return untouched(a, b) && a.counters == b.counters && a.counting == b.counting &&
           a.where == b.where;
}

bool alike(const Chain& a, const Chain& b) {
    return a.policy == b.policy && a.counters == b.counters && a.counting == b.counting &&
           std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(),
                      [](const Rule& x, const Rule& y) { return alike(x, y); });
}

bool shares_all(const Table& a, const Table& b) {
    bool same = a.loaded == b.loaded && a.chains.size() == b.chains.size();
    for (std::size_t i = 0; same && i < a.chains.size(); ++i) {
        same = a.chains.share(i) == b.chains.share(i);
    }
    return same;
}

class Identity {
  public:
    Identity(Ruleset& after, const Chain& before, CountersOf counters)
        : after_(after), before_(before), counters_(counters) {
        for (const Rule& rule : before.rules) {
            by_id_.emplace(raw(rule.id), &rule);
        }
    }

    void give_to(Chain& chain) {
        std::set<const Rule*> taken;
        for (const Rule& rule : chain.rules) {
            if (const Rule* same = same_of(rule)) {
                taken.insert(same);
            }
        }
        for (const Rule& rule : before_.rules) {
            if (!taken.contains(&rule)) {
                by_text_[rule_text({}, rule)].push_back(&rule);
            }
        }
        for (std::size_t i = 0; i < chain.rules.size(); ++i) {
            if (same_of(chain.rules[i]) == nullptr) {
                chain.rules.replace(i, identified(chain.rules[i]));
            }
        }
        if (counters_ == CountersOf::Kept) {
            chain.counters = before_.counters;
            chain.counting = before_.counting;
        }
    }

  private:
    [[nodiscard]] const Rule* same_of(const Rule& rule) const {
        const auto found = by_id_.find(raw(rule.id));
        return found != by_id_.end() && untouched(rule, *found->second) ? found->second : nullptr;
    }

    Rule identified(Rule rule) {
        const auto found = by_text_.find(rule_text({}, rule));
        if (found == by_text_.end() || found->second.empty()) {
            rule.id = take_id(after_);
            return rule;
        }
        Rule old = *found->second.front();
        found->second.pop_front();
        old.where = std::move(rule.where);
        if (counters_ == CountersOf::Given) {
            count_from(old, rule.counters);
        }
        return old;
    }

    Ruleset& after_;
    const Chain& before_;
    CountersOf counters_;
    std::unordered_map<std::uint32_t, const Rule*> by_id_;
    std::unordered_map<std::string, std::deque<const Rule*>> by_text_;
};

void keep_identity(const Chain* old, Ruleset& after, Chain& chain, CountersOf counters) {
    const Chain none;
    Identity(after, old == nullptr ? none : *old, counters).give_to(chain);
}

void keep_identity(const Ruleset& before, Ruleset& after, Family family, TableId id,
                   CountersOf counters) {
    const Table& old = before.table(family, id);
    if (before.share(family, id) == std::as_const(after).share(family, id)) {
        return;
    }
    const std::size_t count = std::as_const(after).table(family, id).chains.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Table& now = std::as_const(after).table(family, id);
        const std::size_t place = old.number_of(now.chains[i].name);
        const bool known = place != Table::kNone;
        if (known && old.chains.share(place) == now.chains.share(i)) {
            continue;
        }
        ChainList& chains = after.table(family, id).chains;
        keep_identity(known ? &old.chains[place] : nullptr, after, chains.change(i), counters);
        if (known && alike(chains[i], old.chains[place])) {
            chains.share_with(i, old.chains, place);
        }
    }
    if (shares_all(std::as_const(after).table(family, id), old)) {
        after.share_with(family, id, before);
    }
}

}  // namespace

void keep_identity(const Ruleset& before, Ruleset& after, CountersOf counters) {
    after.next_id = std::max(before.next_id, after.next_id);
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            keep_identity(before, after, family, static_cast<TableId>(i), counters);
        }
    }
}

}  // namespace nsr::rules
