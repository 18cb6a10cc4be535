#include "core/rules/program/program.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "core/rules/match.hpp"
#include "core/rules/program/compiled.hpp"
#include "core/rules/program/traversal.hpp"

namespace nsr::rules {

struct Program::Impl {
    Impl(Ruleset&& given, const std::vector<std::pair<std::string, IfIndex>>& interfaces)
        : ruleset(std::move(given)), code(interfaces) {
        std::size_t deepest = 0;
        for (std::size_t family = 0; family < 2; ++family) {
            for (std::size_t i = 0; i < kTableCount; ++i) {
                const Table& table = ruleset.tables[family][i];
                tables[family][i] = compile_table(table, code);
                deepest = std::max(deepest, table.chains.size());
            }
        }
        stack.resize(deepest);
        bind_states();
    }

    CompiledTable& table(Family family, TableId id) {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    void copy_counters(Ruleset& into) const;
    void bind_states();

    Ruleset ruleset;
    Code code;
    std::array<std::array<CompiledTable, kTableCount>, 2> tables;
    std::map<std::string, std::unique_ptr<MatchState>, std::less<>> shared;
    std::vector<Traversal::Frame> stack;  // loops are refused, so it is as deep as there are chains
    std::unordered_map<std::uint32_t, const Rule*> by_id;
};

Program::Program(Ruleset ruleset, const std::vector<std::pair<std::string, IfIndex>>& interfaces)
    : impl_(std::make_unique<Impl>(std::move(ruleset), interfaces)) {
    for (auto& family : impl_->tables) {
        for (const CompiledTable& table : family) {
            for (const CompiledRule& rule : table.rules) {
                impl_->by_id.emplace(raw(rule.rule->id), rule.rule);
            }
        }
    }
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

// A rule that both programs hold is the same Match under the same id.
void Program::take_over(Program& previous) {
    std::map<std::pair<const Match*, RuleId>, std::unique_ptr<MatchState>*> states;
    for (Code::Call& call : previous.impl_->code.calls) {
        states.emplace(std::pair(call.match, call.rule), &call.own);
    }
    for (Code::Call& call : impl_->code.calls) {
        const auto found = states.find({call.match, call.rule});
        if (found != states.end() && call.own != nullptr) {
            call.own = std::move(*found->second);
        }
    }
    for (auto& [name, state] : impl_->shared) {
        if (auto kept = previous.impl_->shared.extract(name)) {
            state = std::move(kept.mapped());
        }
    }
    impl_->bind_states();
}

void Program::Impl::bind_states() {
    for (Code::Call& call : code.calls) {
        const std::string name = call.match->shared_name();
        if (name.empty()) {
            call.state = call.own.get();
            continue;
        }
        auto& state = shared[name];
        if (state == nullptr) {
            state = call.match->make_state();
        }
        call.match->join(*state);
        call.state = state.get();
    }
}

bool Program::has(Family family, TableId table, Hook hook) const {
    return impl_->table(family, table).entry[static_cast<std::size_t>(hook)] >= 0;
}

bool Program::loaded(Family family, TableId table) const {
    return impl_->table(family, table).loaded;
}

TableVerdict Program::run(ActionParam par, RuleObserver* observer) {
    CompiledTable& compiled = impl_->table(par.packet.layout.family, par.table);
    const std::int32_t entry = compiled.entry[static_cast<std::size_t>(par.hook)];
    if (entry < 0) {
        return {};
    }
    Traversal traversal(impl_->code, impl_->stack, compiled, par);
    traversal.set_observer(observer);
    return traversal.run(static_cast<std::uint32_t>(entry));
}

const Ruleset& Program::ruleset() const {
    return impl_->ruleset;
}

Ruleset Program::counted() const {
    Ruleset copy = impl_->ruleset;
    impl_->copy_counters(copy);
    return copy;
}

void Program::Impl::copy_counters(Ruleset& into) const {
    for (std::size_t family = 0; family < 2; ++family) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            const CompiledTable& compiled = tables[family][i];
            auto& chains = into.tables[family][i].chains;
            for (std::size_t c = 0; c < chains.size(); ++c) {
                chains[c].counters = compiled.chains[c].counters;
                for (std::size_t r = 0; r < chains[c].rules.size(); ++r) {
                    chains[c].rules[r].counters =
                        compiled.rules[compiled.chains[c].first + r].counters;
                }
            }
        }
    }
}

std::size_t Program::remembered() const {
    std::size_t sum = 0;
    for (const Code::Call& call : impl_->code.calls) {
        sum += call.own ? call.own->remembered() : 0;
    }
    for (const auto& [name, state] : impl_->shared) {
        sum += state->remembered();
    }
    return sum;
}

const Rule* Program::find(RuleId id) const {
    const auto found = impl_->by_id.find(raw(id));
    return found == impl_->by_id.end() ? nullptr : found->second;
}

}  // namespace nsr::rules
