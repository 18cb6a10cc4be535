#include "core/rules/language/check.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "core/rules/limits.hpp"
#include "core/rules/match.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

class TableCheck {
  public:
    TableCheck(const Table& table, TableId id, ConfigErrors& errors)
        : table_(table), id_(id), errors_(errors) {}

    void run() {
        for (const Chain& chain : table_.chains) {
            if (chain.policy != Policy::None) {
                walk(chain, hook_of(chain.name));
            }
        }
        reached_ = false;
        for (const Chain& chain : table_.chains) {
            walk(chain, 0);
        }
    }

  private:
    enum class Progress : std::uint8_t { Untouched, OnPath, Done };
    struct Visit {
        Progress progress = Progress::Untouched;
        std::uint8_t hooks = 0;  // from where it is reached
        // Of a packet for which no condition holds, once Done: jumps from here on, and whether the
        // walk is over at the end.
        std::uint64_t jumps = 0;
        bool decides = false;
    };
    struct Step {
        const Chain* chain;
        std::uint8_t hooks;
        std::uint8_t fresh;     // hooks that its rules were not judged for yet
        std::size_t block = 0;  // of the next rule
        std::size_t row = 0;
    };

    static std::uint8_t hook_of(std::string_view chain) {
        for (unsigned i = 0; i < kHookCount; ++i) {
            if (nsr::name_of(static_cast<Hook>(i)) == chain) {
                return bit(static_cast<Hook>(i));
            }
        }
        return 0;
    }

    void walk(const Chain& root, std::uint8_t hooks);
    void enter(const Chain& chain, std::uint8_t hooks);
    void leave(const Chain& chain);
    void count_jumps(const Chain& chain, Visit& visit);
    [[nodiscard]] static bool decides_all(const RuleBlock::Row& row);
    [[nodiscard]] const Chain* jumped_to(const Chain& chain, const Rule& rule);
    void judge(const Chain& chain, const Rule& rule, std::uint8_t hooks);

    const Table& table_;
    TableId id_;
    ConfigErrors& errors_;
    bool reached_ = true;  // by packets
    std::unordered_map<std::string_view, Visit> visits_;
    std::set<const Rule*> loops_;  // reported
    std::vector<Step> path_;
};

// A path may be as long as there are chains, so it is kept here and not on the stack.
void TableCheck::walk(const Chain& root, std::uint8_t hooks) {
    enter(root, hooks);
    while (!path_.empty()) {
        Step& step = path_.back();
        const auto blocks = step.chain->rules.blocks();
        if (step.block == blocks.size()) {
            leave(*step.chain);
            continue;
        }
        const auto& rows = blocks[step.block]->rows;
        const RuleBlock::Row& row = rows[step.row];
        if (++step.row == rows.size()) {
            step.row = 0;
            ++step.block;
        }
        if ((step.fresh & ~row.hooks) != 0) {
            judge(*step.chain, *row.rule, step.fresh);
        }
        if (const Chain* next = row.jumps ? jumped_to(*step.chain, *row.rule) : nullptr) {
            enter(*next, step.hooks);
        } else if (decides_all(row)) {
            step.block = blocks.size();  // no packet reaches what follows
        }
    }
}

// Loops are of rules that packets reach, and so are the hooks that rules are judged for.
// kernel: mark_source_chains
bool TableCheck::decides_all(const RuleBlock::Row& row) {
    if (!row.unconditional || row.jumps || row.rule->target == nullptr) {
        return false;
    }
    const Target& target = *row.rule->target;
    const Action action = target.compile().action;
    return action == Action::Accept || action == Action::Drop || action == Action::Return ||
           target.name() == "QUEUE";
}

// Unless it was seen from all these hooks before.
void TableCheck::enter(const Chain& chain, std::uint8_t hooks) {
    Visit& visit = visits_[chain.name];
    const auto fresh = static_cast<std::uint8_t>(hooks & ~visit.hooks);
    if (visit.progress == Progress::Done && fresh == 0) {
        return;
    }
    visit.progress = Progress::OnPath;
    visit.hooks |= hooks;
    path_.push_back({&chain, hooks, fresh});
}

void TableCheck::leave(const Chain& chain) {
    path_.pop_back();
    Visit& visit = visits_[chain.name];
    visit.progress = Progress::Done;
    count_jumps(chain, visit);
    if (chain.policy != Policy::None && visit.jumps > kMostJumps) {
        errors_.push_back({chain.rules[0].where,
                           "a packet that no other rule decides would jump " +
                               std::to_string(visit.jumps) + " times from chain " + chain.name +
                               "; at most " + std::to_string(kMostJumps) + " jumps are made"});
    }
}

// What can be told for sure: of rules without a condition, as far as they go.
void TableCheck::count_jumps(const Chain& chain, Visit& visit) {
    constexpr std::uint64_t kEnough = std::uint64_t{1} << 62;
    visit.jumps = 0;
    for (const auto& block : chain.rules.blocks()) {
        for (const RuleBlock::Row& row : block->rows) {
            if (!row.unconditional || row.rule->target == nullptr) {
                continue;
            }
            const Target& target = *row.rule->target;
            if (!row.jumps) {
                visit.decides = target.compile().action != Action::Return;
                return;
            }
            const auto next = visits_.find(target.name());
            if (next == visits_.end()) {
                return;
            }
            visit.jumps = std::min(kEnough, visit.jumps + 1 + next->second.jumps);
            visit.decides = next->second.decides;
            if (visit.decides || target.jump() == Target::Jump::Goto) {
                return;
            }
        }
    }
}

const Chain* TableCheck::jumped_to(const Chain& chain, const Rule& rule) {
    const std::string& name = rule.target->name();
    const Chain* next = table_.find(name);
    if (next == nullptr) {
        errors_.push_back(
            {rule.where, "no chain \"" + name + "\" in table " + std::string(name_of(id_))});
        return nullptr;
    }
    if (visits_[next->name].progress == Progress::OnPath) {
        if (reached_ && loops_.insert(&rule).second) {
            errors_.push_back({rule.where, "chain " + next->name + " would loop back to itself" +
                                               " through chain " + chain.name});
        }
        return nullptr;
    }
    return next;
}

std::string hook_names(std::uint8_t hooks) {
    std::string text;
    for (unsigned i = 0; i < kHookCount; ++i) {
        if ((hooks >> i & 1) != 0) {
            text += (text.empty() ? "" : ", ") + std::string(nsr::name_of(static_cast<Hook>(i)));
        }
    }
    return text;
}

void TableCheck::judge(const Chain& chain, const Rule& rule, std::uint8_t hooks) {
    const auto complain = [&](std::string_view what, std::uint8_t allowed) {
        const auto wrong = static_cast<std::uint8_t>(hooks & ~allowed);
        if (wrong == 0) {
            return;
        }
        std::string message = std::string(what) + " is not valid in " + hook_names(wrong);
        if (chain.policy == Policy::None) {
            message += ", from where chain " + chain.name + " can be reached";
        }
        errors_.push_back({rule.where, message + "; it is valid in " + hook_names(allowed)});
    };
    for (const auto& match : rule.matches) {
        complain("match \"" + std::string(match->module()) + "\"", match->hooks());
    }
    if (rule.target != nullptr) {
        complain("target " + rule.target->name(), rule.target->hooks());
    }
}

}  // namespace

ConfigErrors check(const Ruleset& ruleset, Family family) {
    ConfigErrors errors;
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        TableCheck(ruleset.table(family, id), id, errors).run();
    }
    return errors;
}

ConfigErrors check(const Table& table, TableId id) {
    ConfigErrors errors;
    TableCheck(table, id, errors).run();
    return errors;
}

}  // namespace nsr::rules
