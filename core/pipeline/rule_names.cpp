#include "core/pipeline/rule_names.hpp"

#include <utility>

#include "core/rules/save.hpp"

namespace nsr::pipeline {
namespace {

using rules::Chain;
using rules::RuleBlock;

void find_in(const Chain& chain, rules::TableId table, const RuleIds& wanted,
             RuleNames::Names& found) {
    std::uint32_t number = 0;
    for (const auto& block : chain.rules.blocks()) {
        for (const RuleBlock::Row& row : block->rows) {
            ++number;
            if (wanted.contains(row.id)) {
                found[row.id] = {table, chain.name, number, row.rule->where,
                                 "-A " + rules::rule_text(chain.name, *row.rule)};
            }
        }
    }
}

RuleNames::Names find(const rules::Ruleset& ruleset, const RuleIds& wanted) {
    RuleNames::Names found;
    if (wanted.empty()) {
        return found;
    }
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < rules::kTableCount; ++i) {
            const auto id = static_cast<rules::TableId>(i);
            for (const Chain& chain : ruleset.table(family, id).chains) {
                find_in(chain, id, wanted, found);
            }
        }
    }
    return found;
}

}  // namespace

void RuleNames::keep(const rules::Ruleset& ruleset, const RuleIds& wanted) {
    Names kept = find(ruleset, wanted);
    for (auto& [id, name] : kept_) {
        if (wanted.contains(id)) {
            kept.emplace(id, std::move(name));
        }
    }
    kept_ = std::move(kept);
}

RuleNames::Names RuleNames::of(const rules::Ruleset& ruleset, const RuleIds& wanted) const {
    Names names = find(ruleset, wanted);
    for (const RuleId id : wanted) {
        const auto old = kept_.find(id);
        if (old != kept_.end() && !names.contains(id)) {
            names.emplace(id, old->second).first->second.gone = true;
        }
    }
    return names;
}

}  // namespace nsr::pipeline
