#include "core/rules/program/succession.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace nsr::rules {

namespace {

RuleCounters plus(const RuleCounters& a, const RuleCounters& b) {
    return {a.packets + b.packets, a.bytes + b.bytes};
}

RuleCounters minus(const RuleCounters& a, const RuleCounters& b) {
    return {a.packets - b.packets, a.bytes - b.bytes};
}

bool is_jump(const Rule& rule) {
    return rule.target != nullptr && rule.target->jump() != Target::Jump::None;
}

// A jump is the same if its chain has got another name.
bool same_rule(const Rule& a, const Rule& b) {
    return &a == &b || (a.id == b.id && a.matches == b.matches &&
                        (a.target == b.target || (is_jump(a) && is_jump(b))));
}

// Numbers of its calls are [first, end), in the order of its matches.
std::pair<std::uint32_t, std::uint32_t> calls_of(const CompiledBlock& block, std::uint32_t row) {
    std::pair<std::uint32_t, std::uint32_t> calls{0, 0};
    const CompiledRule& rule = block.rules[row];
    for (std::uint32_t i = rule.first; i != rule.end; ++i) {
        const Instruction& instruction = block.code.instructions[i];
        if (instruction.op == Op::Call) {
            calls.first = calls.second == 0 ? instruction.value : calls.first;
            calls.second = instruction.value + 1;
        }
    }
    return calls;
}

}  // namespace

// What one table of the next program gets from that of the base.
class Succession::TablePlan {
  public:
    TablePlan(Succession& all, const CompiledTable& next, TableMemory& memory, Moves& moves)
        : all_(all), next_(next), memory_(memory), moves_(moves) {}

    void run(const CompiledTable* base, const TableCounters* counted) {
        base_ = base;
        counted_ = counted;
        if (base_ != nullptr && base_->source == next_.source) {
            moves_.whole = true;
            return;
        }
        taken_.resize(base_ != nullptr ? base_->chains.size() : 0);
        memory_.resize(next_.chains.size());
        plan_chains();
        collect_old_blocks();
        for (const std::uint32_t chain : changed_) {
            plan_blocks(chain);
        }
        collect_old_rules();
        for (const BlockPlace& place : fresh_) {
            plan_rules(place);
            make_states(place);
        }
    }

  private:
    const CompiledBlock& code(const CompiledTable& table, const BlockPlace& place) const {
        return *table.chains[place.chain]->blocks[place.block].code;
    }

    void plan_chains() {
        for (std::uint32_t i = 0; i < next_.chains.size(); ++i) {
            const Chain& chain = *next_.chains[i]->source;
            const std::size_t known =
                base_ != nullptr ? base_->source->number_of(chain.name) : Table::kNone;
            const auto before = static_cast<std::uint32_t>(known);
            if (known != Table::kNone && base_->chains[before]->source.get() == &chain) {
                moves_.chains.push_back({before, i});
                taken_[before] = true;
                continue;
            }
            memory_[i].policy = chain.counters;
            changed_.push_back(i);
            if (known != Table::kNone) {
                plan_policy(before, i);
            }
        }
    }
    void plan_policy(std::uint32_t from, std::uint32_t to) {
        const Chain& before = *base_->chains[from]->source;
        const Chain& after = *next_.chains[to]->source;
        const bool goes_on = before.counting == after.counting;
        moves_.policies.push_back(
            {from, to, goes_on ? RuleCounters{} : minus(after.counters, counted_->policy(from))});
    }
    void collect_old_blocks() {
        for (std::uint32_t c = 0; c < taken_.size(); ++c) {
            for (std::uint32_t b = 0; !taken_[c] && b < base_->chains[c]->blocks.size(); ++b) {
                const BlockPlace place{c, b};
                old_blocks_.emplace(code(*base_, place).source.get(), place);
            }
        }
    }
    void plan_blocks(std::uint32_t chain) {
        const auto& blocks = next_.chains[chain]->blocks;
        memory_[chain].blocks.resize(blocks.size());
        for (std::uint32_t b = 0; b < blocks.size(); ++b) {
            const auto old = old_blocks_.find(blocks[b].code->source.get());
            if (old == old_blocks_.end()) {
                fresh_.push_back({chain, b});
            } else {
                moves_.blocks.push_back({old->second, {chain, b}});
                old_blocks_.erase(old);
            }
        }
    }
    // Those of blocks that are over; their shared states have fewer users now.
    void collect_old_rules() {
        for (const auto& [source, place] : old_blocks_) {
            for (std::uint32_t row = 0; row < source->rows.size(); ++row) {
                old_rules_.emplace(raw(source->rows[row].id), RulePlace{place, row});
            }
            for (const Match* match : code(*base_, place).code.calls) {
                if (std::string name = match->shared_name(); !name.empty()) {
                    all_.released_.push_back({std::move(name), match});
                }
            }
        }
    }
    void plan_rules(const BlockPlace& place) {
        const CompiledBlock& block = code(next_, place);
        auto memory = std::make_unique<BlockMemory>();
        memory->states.resize(block.code.calls.size());
        memory->own.resize(block.code.calls.size());
        state_moves_.assign(block.code.calls.size(), false);
        for (std::uint32_t row = 0; row < block.source->rows.size(); ++row) {
            const Rule& rule = *block.source->rows[row].rule;
            memory->counters.push_back(rule.counters);
            const auto old = old_rules_.find(raw(rule.id));
            if (old != old_rules_.end()) {
                plan_rule(old->second, {place, row});
            }
        }
        memory_[place.chain].blocks[place.block] = std::move(memory);
    }
    void plan_rule(const RulePlace& from, const RulePlace& to) {
        const Rule& before = *code(*base_, from.block).source->rows[from.row].rule;
        const Rule& after = *code(next_, to.block).source->rows[to.row].rule;
        if (!same_rule(before, after)) {
            return;
        }
        const bool anew = before.counting != after.counting;
        add_to_run(from, to, anew);
        if (anew) {
            const std::size_t number = number_in_chain(from);
            moves_.more.push_back(minus(after.counters, counted_->rule(from.block.chain, number)));
        }
        const auto [first, end] = calls_of(code(*base_, from.block), from.row);
        std::uint32_t call = calls_of(code(next_, to.block), to.row).first;
        for (std::uint32_t i = first; i != end; ++i, ++call) {
            moves_.states.push_back({from.block, i, to.block, call});
            state_moves_[call] = true;
        }
    }
    void add_to_run(const RulePlace& from, const RulePlace& to, bool anew) {
        if (!moves_.runs.empty()) {
            RuleRun& last = moves_.runs.back();
            if (last.anew == anew && last.from.block == from.block && last.to.block == to.block &&
                last.from.row + last.rules == from.row && last.to.row + last.rules == to.row) {
                ++last.rules;
                return;
            }
        }
        moves_.runs.push_back({from, to, 1, anew});
    }
    std::size_t number_in_chain(const RulePlace& place) const {
        std::size_t number = place.row;
        for (std::uint32_t b = 0; b < place.block.block; ++b) {
            number += code(*base_, {place.block.chain, b}).rules.size();
        }
        return number;
    }
    void make_states(const BlockPlace& place) {
        BlockMemory& memory = *memory_[place.chain].blocks[place.block];
        const auto& calls = code(next_, place).code.calls;
        for (std::uint32_t i = 0; i < calls.size(); ++i) {
            if (std::string name = calls[i]->shared_name(); !name.empty()) {
                all_.bonds_.push_back(
                    {std::move(name), calls[i], &memory, i, calls[i]->make_state()});
            } else if (!state_moves_[i]) {
                memory.own[i] = calls[i]->make_state();
                memory.states[i] = memory.own[i].get();
            }
        }
    }

    Succession& all_;
    const CompiledTable& next_;
    TableMemory& memory_;
    Moves& moves_;
    const CompiledTable* base_ = nullptr;
    const TableCounters* counted_ = nullptr;
    std::vector<bool> taken_;             // chains of the base that go on as they are
    std::vector<std::uint32_t> changed_;  // chains of the next that do not
    std::unordered_map<const RuleBlock*, BlockPlace> old_blocks_;
    std::vector<BlockPlace> fresh_;
    std::unordered_map<std::uint32_t, RulePlace> old_rules_;
    std::vector<bool> state_moves_;  // calls of the block at hand whose state comes from the base
};

Succession::Succession(const CompiledRuleset& next, const Base& base) {
    for (std::size_t family = 0; family < 2; ++family) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            const bool first = base.compiled == nullptr;
            TablePlan plan(*this, *next.tables[family][i], memory_[family][i], moves_[family][i]);
            plan.run(first ? nullptr : base.compiled->tables[family][i].get(),
                     first ? nullptr : &base.counted.counters.tables[family][i]);
        }
    }
}

void Succession::carry_out(TableMemories& from, TableMemories& to, SharedStates& shared) {
    for (std::size_t family = 0; family < 2; ++family) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            move(moves_[family][i], from[family][i], to[family][i]);
        }
    }
    for (Bond& bond : bonds_) {
        bond.memory->states[bond.call] = shared.acquire(bond.name, *bond.match, bond.spare);
    }
    for (const Release& release : released_) {
        if (auto state = shared.release(release.name, *release.match)) {
            over_.push_back(std::move(state));
        }
    }
}

void Succession::move(Moves& moves, TableMemory& from, TableMemory& to) {
    if (moves.whole) {
        to = std::move(from);
        return;
    }
    move_counters(moves, from, to);
    for (const StateMove& state : moves.states) {
        BlockMemory& before = *from[state.from.chain].blocks[state.from.block];
        BlockMemory& after = *to[state.to.chain].blocks[state.to.block];
        if (before.own[state.from_call] != nullptr) {
            after.own[state.to_call] = std::move(before.own[state.from_call]);
            after.states[state.to_call] = after.own[state.to_call].get();
        }
    }
    for (const PolicyMove& policy : moves.policies) {
        to[policy.to].policy = plus(from[policy.from].policy, policy.more);
    }
    for (const BlockMove& block : moves.blocks) {
        to[block.to.chain].blocks[block.to.block] =
            std::move(from[block.from.chain].blocks[block.from.block]);
    }
    for (const ChainMove& chain : moves.chains) {
        to[chain.to] = std::move(from[chain.from]);
    }
}

void Succession::move_counters(const Moves& moves, const TableMemory& from, TableMemory& to) {
    auto more = moves.more.begin();
    for (const RuleRun& run : moves.runs) {
        const auto& before = from[run.from.block.chain].blocks[run.from.block.block]->counters;
        auto& after = to[run.to.block.chain].blocks[run.to.block.block]->counters;
        const auto first = before.begin() + run.from.row;
        const auto end = first + run.rules;
        const auto into = after.begin() + run.to.row;
        if (run.anew) {
            std::transform(first, end, more, into, plus);
            more += run.rules;
        } else {
            std::copy(first, end, into);
        }
    }
}

}  // namespace nsr::rules
