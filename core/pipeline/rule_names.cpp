#include "core/pipeline/rule_names.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/rules/save.hpp"

namespace nsr::pipeline {
namespace {

using rules::Chain;
using rules::RuleBlock;
using rules::Table;

// Of one table: what is in the blocks of `before` alone.
class Leaving {
  public:
    Leaving(const Table& before, const Table& after) : before_(before) {
        for (const Chain& chain : after.chains) {
            chains_.insert(&chain);
            for (const auto& block : chain.rules.blocks()) {
                blocks_.insert(&*block);
            }
        }
        std::set<const RuleBlock*> old;
        for (const Chain& chain : before.chains) {
            for (const auto& block : chain.rules.blocks()) {
                old.insert(&*block);
            }
        }
        for (const RuleBlock* block : blocks_) {
            for (const RuleBlock::Row& row : block->rows) {
                if (old.contains(block)) {
                    break;
                }
                stays_.insert(row.id);
            }
        }
    }

    void collect(rules::TableId table, std::vector<LeavingRule>& found) const {
        for (const Chain& chain : before_.chains) {
            if (!chains_.contains(&chain)) {
                collect(table, chain, found);
            }
        }
    }

  private:
    void collect(rules::TableId table, const Chain& chain, std::vector<LeavingRule>& found) const {
        std::uint32_t number = 0;
        for (const auto& block : chain.rules.blocks()) {
            const bool shared = blocks_.contains(&*block);
            for (std::size_t i = 0; !shared && i < block->rows.size(); ++i) {
                const RuleBlock::Row& row = block->rows[i];
                if (!stays_.contains(row.id)) {
                    found.push_back({row.id, table, chain.name,
                                     number + static_cast<std::uint32_t>(i) + 1, row.rule});
                }
            }
            number += static_cast<std::uint32_t>(block->rows.size());
        }
    }

    const Table& before_;
    std::set<const Chain*> chains_;
    std::set<const RuleBlock*> blocks_;
    std::set<RuleId> stays_;  // of blocks that are new
};

template <class Visit>
void each_named(const DropPlaces& places, const Recorder& recorder, const Visit& visit) {
    for (const auto& [place, packets] : places.rows()) {
        visit(place.rule);
    }
    for (std::size_t i = 0; i < recorder.size(); ++i) {
        visit(recorder[i].place.rule);
    }
}

}  // namespace

std::vector<LeavingRule> leaving_rules(const rules::Ruleset& before, const rules::Ruleset& after) {
    std::vector<LeavingRule> found;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < rules::kTableCount; ++i) {
            const auto id = static_cast<rules::TableId>(i);
            const auto old = before.share(family, id);
            const auto next = after.share(family, id);
            if (old != next) {
                Leaving(*old, *next).collect(id, found);
            }
        }
    }
    std::sort(found.begin(), found.end(),
              [](const LeavingRule& a, const LeavingRule& b) { return raw(a.id) < raw(b.id); });
    return found;
}

RuleName name_of(const LeavingRule& rule) {
    return {rule.table,
            rule.chain,
            rule.number,
            rule.rule->where,
            "-A " + rules::rule_text(rule.chain, *rule.rule),
            true};
}

void RuleNames::keep(const std::vector<LeavingRule>& leaving, const DropPlaces& places,
                     const Recorder& recorder) {
    if (leaving.empty()) {
        return;
    }
    each_named(places, recorder, [&](RuleId id) {
        const auto at = std::lower_bound(
            leaving.begin(), leaving.end(), id,
            [](const LeavingRule& each, RuleId wanted) { return raw(each.id) < raw(wanted); });
        if (at != leaving.end() && at->id == id) {
            kept_.try_emplace(id, *at);
        }
    });
    if (kept_.size() > DropPlaces::kMost + recorder.capacity()) {
        forget_unnamed(places, recorder);
    }
}

void RuleNames::forget_unnamed(const DropPlaces& places, const Recorder& recorder) {
    std::set<RuleId> named;
    each_named(places, recorder, [&](RuleId id) { named.insert(id); });
    std::erase_if(kept_, [&](const auto& each) { return !named.contains(each.first); });
}

std::optional<RuleName> RuleNames::find(RuleId id) const {
    const auto found = kept_.find(id);
    return found == kept_.end() ? std::nullopt : std::optional(name_of(found->second));
}

}  // namespace nsr::pipeline
