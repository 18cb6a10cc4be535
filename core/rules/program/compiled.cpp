#include "core/rules/program/compiled.hpp"

#include <algorithm>
#include <unordered_map>

#include "core/base/check.hpp"
#include "core/rules/match.hpp"
#include "core/rules/needs.hpp"

namespace nsr::rules {

namespace {

std::shared_ptr<const CompiledBlock> compile_block(std::shared_ptr<const RuleBlock> source) {
    auto block = std::make_shared<CompiledBlock>();
    std::unordered_map<std::string_view, std::uint32_t> jumps;
    block->rules.reserve(source->rows.size());
    for (const RuleBlock::Row& row : source->rows) {
        CompiledRule& rule = block->rules.emplace_back();
        rule.first = static_cast<std::uint32_t>(block->code.instructions.size());
        for (const auto& match : row.rule->matches) {
            match->compile(block->code);
        }
        const Target* target = row.rule->target.get();
        if (const Match* memory = target != nullptr ? target->memory() : nullptr) {
            memory->compile(block->code);
        }
        rule.end = static_cast<std::uint32_t>(block->code.instructions.size());
        if (target != nullptr) {
            rule.then = target->compile();
            if (row.jumps) {
                const auto number = static_cast<std::uint32_t>(jumps.size());
                const auto [jump, added] = jumps.try_emplace(target->name(), number);
                if (added) {
                    block->jumps.push_back(target->name());
                }
                rule.then.operand = jump->second;
            }
        }
    }
    block->index = BlockIndex(block->code, block->rules);
    const auto [least, most] = std::minmax_element(
        source->rows.begin(), source->rows.end(),
        [](const RuleBlock::Row& a, const RuleBlock::Row& b) { return raw(a.id) < raw(b.id); });
    block->least_id = least->id;
    block->most_id = most->id;
    block->source = std::move(source);
    return block;
}

// kernel: ifname_compare; without an interface the name is empty, which only "+" matches
InterfaceSet interfaces_of(std::string_view pattern, const InterfaceNames& interfaces) {
    InterfaceSet set;
    const bool prefix = pattern.ends_with('+');
    const std::string_view name = pattern.substr(0, pattern.size() - (prefix ? 1 : 0));
    if (prefix && name.empty()) {
        set.add(IfIndex::None);
    }
    for (const auto& [known, index] : interfaces) {
        if (prefix ? known.starts_with(name) : known == name) {
            set.add(index);
        }
    }
    return set;
}

Link link(const CompiledBlock& block, const Table& table, const InterfaceNames& interfaces) {
    Link made;
    for (const std::string& pattern : block.code.interfaces) {
        made.interfaces.push_back(interfaces_of(pattern, interfaces));
    }
    for (const std::string& chain : block.jumps) {
        const std::size_t number = table.number_of(chain);
        NSR_CHECK(number != Table::kNone);
        made.chains.push_back(static_cast<std::uint32_t>(number));
    }
    return made;
}

// Makes one table out of what `base` has of it and what is new.
class TableCompiler {
  public:
    TableCompiler(std::shared_ptr<const Table> table, const InterfaceNames& interfaces,
                  const CompiledTable* base, bool same_interfaces)
        : table_(std::move(table)), interfaces_(interfaces), base_(base) {
        links_hold_ = base_ != nullptr && same_interfaces && numbers_hold();
    }

    std::shared_ptr<const CompiledTable> run() {
        auto compiled = std::make_shared<CompiledTable>();
        for (std::size_t i = 0; i < table_->chains.size(); ++i) {
            const Chain& chain = table_->chains[i];
            for (unsigned h = 0; chain.policy != Policy::None && h < kHookCount; ++h) {
                if (nsr::name_of(static_cast<Hook>(h)) == chain.name) {
                    compiled->entry[h] = static_cast<std::int32_t>(i);
                }
            }
            compiled->chains.push_back(compile_chain(i));
            compiled->tcp_flags |= compiled->chains.back()->tcp_flags;
        }
        compiled->source = table_;
        return compiled;
    }

  private:
    // Jumps that both have lead to chains of the same number.
    [[nodiscard]] bool numbers_hold() const {
        const ChainList& before = base_->source->chains;
        const std::size_t both = std::min(before.size(), table_->chains.size());
        for (std::size_t i = 0; i < both; ++i) {
            if (before[i].name != table_->chains[i].name) {
                return false;
            }
        }
        return true;
    }
    std::shared_ptr<const CompiledChain> compile_chain(std::size_t number) {
        std::shared_ptr<const Chain> chain = table_->chains.share(number);
        if (links_hold_) {
            const std::size_t before = base_->source->number_of(chain->name);
            if (before != Table::kNone && base_->chains[before]->source == chain) {
                return base_->chains[before];
            }
        }
        auto compiled = std::make_shared<CompiledChain>();
        for (const Cow<RuleBlock>& block : chain->rules.blocks()) {
            auto code = compiled_block(block.share());
            Link linked = link(*code, *table_, interfaces_);
            compiled->tcp_flags |= code->code.tcp_flags;
            compiled->blocks.push_back({std::move(code), std::move(linked)});
        }
        std::vector<const BlockIndex*> indexes;
        for (const LinkedBlock& block : compiled->blocks) {
            indexes.push_back(&block.code->index);
        }
        compiled->index = ChainIndex(indexes);
        compiled->source = std::move(chain);
        return compiled;
    }
    std::shared_ptr<const CompiledBlock> compiled_block(std::shared_ptr<const RuleBlock> source) {
        if (base_ != nullptr && known_.empty()) {
            for (const auto& chain : base_->chains) {
                for (const LinkedBlock& block : chain->blocks) {
                    known_.emplace(block.code->source.get(), &block.code);
                }
            }
        }
        const auto found = known_.find(source.get());
        return found != known_.end() ? *found->second : compile_block(std::move(source));
    }

    std::shared_ptr<const Table> table_;
    const InterfaceNames& interfaces_;
    const CompiledTable* base_;
    bool links_hold_ = false;
    std::unordered_map<const RuleBlock*, const std::shared_ptr<const CompiledBlock>*> known_;
};

RulePlaces places_of(const CompiledRuleset& compiled) {
    RulePlaces places;
    for (const auto& family : compiled.tables) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            for (const auto& chain : family[i]->chains) {
                std::uint32_t before = 0;
                for (const LinkedBlock& block : chain->blocks) {
                    places.add({.table = static_cast<TableId>(i),
                                .chain = chain->source.get(),
                                .before = before,
                                .rules = block.code->source.get(),
                                .least = block.code->least_id,
                                .most = block.code->most_id});
                    before += static_cast<std::uint32_t>(block.code->rules.size());
                }
            }
        }
    }
    places.finish();
    return places;
}

}  // namespace

std::shared_ptr<const CompiledRuleset> compile(Ruleset ruleset, InterfaceNames interfaces,
                                               const CompiledRuleset* base) {
    auto compiled = std::make_shared<CompiledRuleset>();
    const bool same_interfaces = base != nullptr && base->interfaces == interfaces;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            auto table = ruleset.share(family, static_cast<TableId>(i));
            const auto* before = base != nullptr ? &base->tables[index_of(family)][i] : nullptr;
            auto& made = compiled->tables[index_of(family)][i];
            compiled->deepest = std::max(compiled->deepest, table->chains.size());
            if (same_interfaces && (*before)->source == table) {
                made = *before;
            } else {
                const CompiledTable* old = before != nullptr ? before->get() : nullptr;
                made = TableCompiler(std::move(table), interfaces, old, same_interfaces).run();
            }
        }
        compiled->tracking[index_of(family)] = needs_tracking(ruleset, family);
    }
    compiled->places = places_of(*compiled);
    compiled->ruleset = std::move(ruleset);
    compiled->keys = InterfaceKeys(interfaces);
    compiled->interfaces = std::move(interfaces);
    return compiled;
}

}  // namespace nsr::rules
