#include "core/rules/program/program.hpp"

#include <map>
#include <unordered_map>
#include <vector>

#include "core/base/check.hpp"
#include "core/rules/match.hpp"
#include "core/rules/program/code.hpp"
#include "core/rules/program/compiled.hpp"
#include "core/rules/program/evaluate.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

// Where a jump comes back to.
struct Frame {
    std::uint32_t chain = 0;
    std::uint32_t next = 0;
};

}  // namespace

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
        bind_shared();
    }

    CompiledTable& table(Family family, TableId id) {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    void copy_counters(Ruleset& into) const;
    void bind_shared();

    Ruleset ruleset;
    Code code;
    std::array<std::array<CompiledTable, kTableCount>, 2> tables;
    std::map<std::string, std::unique_ptr<SharedState>, std::less<>> shared;
    std::vector<Frame> stack;  // loops are refused, so it is as deep as there are chains
    std::unordered_map<std::uint32_t, const Rule*> by_id;
};

namespace {

std::uint64_t length_of(const Packet& packet) {
    return packet.layout.total_length;
}

void count(RuleCounters& counters, const Packet& packet) {
    ++counters.packets;
    counters.bytes += length_of(packet);
}

// One packet's way through one table. kernel: ipt_do_table, ip6t_do_table
class Walk {
  public:
    Walk(Code& code, std::vector<Frame>& stack, CompiledTable& table, Subject& subject)
        : code_(code), stack_(stack), table_(table), subject_(subject) {}
    void tell(RuleObserver* observer) { observer_ = observer; }

    Outcome run(std::uint32_t chain);

  private:
    bool matches(const CompiledRule& rule);
    bool step(CompiledRule& rule);
    bool leave_chain();
    void jump(std::uint32_t chain, bool come_back);
    void enter(std::uint32_t chain);
    bool apply_policy();
    bool call(const CompiledRule& rule);
    void decide(Decision decision, const CompiledRule& rule) {
        outcome_.decision = decision;
        outcome_.rule = rule.rule->id;
    }

    Code& code_;
    std::vector<Frame>& stack_;
    CompiledTable& table_;
    Subject& subject_;
    RuleObserver* observer_ = nullptr;
    Outcome outcome_;
    std::uint32_t entry_ = 0;
    std::uint32_t chain_ = 0;
    std::uint32_t next_ = 0;
    std::size_t depth_ = 0;
    bool hot_drop_ = false;
};

Outcome Walk::run(std::uint32_t chain) {
    entry_ = chain;
    enter(chain);
    while (true) {
        if (next_ == table_.chains[chain_].end) {
            if (leave_chain()) {
                return outcome_;
            }
            continue;
        }
        CompiledRule& rule = table_.rules[next_++];
        const bool matched = matches(rule);
        if (observer_ != nullptr) {
            observer_->rule_tried(subject_.table, table_.chains[chain_].chain->name, *rule.rule,
                                  matched);
        }
        if (hot_drop_) {
            decide(Decision::Drop, rule);
            return outcome_;
        }
        if (matched) {
            count(rule.counters, subject_.packet);
            if (step(rule)) {
                return outcome_;
            }
        }
    }
}

bool Walk::matches(const CompiledRule& rule) {
    for (std::uint32_t i = rule.first; i != rule.end; ++i) {
        const MatchResult result = evaluate(code_, code_.instructions[i], subject_);
        if (result != MatchResult::Yes) {
            hot_drop_ = result == MatchResult::HotDrop;
            return false;
        }
    }
    return true;
}

// True once the packet's fate in this table is settled.
bool Walk::step(CompiledRule& rule) {
    switch (rule.action) {
        case Action::Count:
            return false;
        case Action::Accept:
            return decide(Decision::Accept, rule), true;
        case Action::Drop:
            return decide(Decision::Drop, rule), true;
        case Action::Return:
            return leave_chain();
        case Action::Jump:
        case Action::Goto:
            jump(rule.operand, rule.action == Action::Jump);
            return false;
        case Action::Mark: {
            Mark& mark = subject_.packet.meta.mark;
            mark = (mark & ~rule.mask) ^ rule.operand;
            return false;
        }
        case Action::Call:
            return call(rule);
    }
    return false;
}

// At the end of a chain or at RETURN: back to the last jump (a goto left no mark), or the policy.
bool Walk::leave_chain() {
    if (depth_ == 0) {
        return apply_policy();
    }
    const auto& frame = stack_[--depth_];
    chain_ = frame.chain;
    next_ = frame.next;
    return false;
}

void Walk::jump(std::uint32_t chain, bool come_back) {
    if (come_back) {
        NSR_CHECK(depth_ < stack_.size());
        stack_[depth_++] = {chain_, next_};
    }
    enter(chain);
}

void Walk::enter(std::uint32_t chain) {
    chain_ = chain;
    next_ = table_.chains[chain].first;
}

bool Walk::apply_policy() {
    CompiledChain& chain = table_.chains[entry_];
    count(chain.counters, subject_.packet);
    outcome_.decision = chain.policy == Policy::Drop ? Decision::PolicyDrop : Decision::Accept;
    outcome_.rule = RuleId::None;
    if (observer_ != nullptr) {
        observer_->policy_applied(subject_.table, chain.chain->name, chain.policy);
    }
    return true;
}

bool Walk::call(const CompiledRule& rule) {
    switch (rule.target->apply(subject_, outcome_)) {
        case TargetResult::Continue:
            return false;
        case TargetResult::Accept:
            return decide(Decision::Accept, rule), true;
        case TargetResult::Drop:
            return decide(Decision::Drop, rule), true;
        case TargetResult::Reject:
            return decide(Decision::Reject, rule), true;
        case TargetResult::Nat:
            return decide(Decision::Nat, rule), true;
    }
    return false;
}

}  // namespace

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
        states.emplace(std::pair(call.match, call.rule), &call.state);
    }
    for (Code::Call& call : impl_->code.calls) {
        const auto found = states.find({call.match, call.rule});
        if (found != states.end() && call.state != nullptr) {
            call.state = std::move(*found->second);
        }
    }
    for (auto& [name, state] : impl_->shared) {
        if (auto kept = previous.impl_->shared.extract(name)) {
            state = std::move(kept.mapped());
        }
    }
    impl_->bind_shared();
}

Program Program::fork() const {
    Program copy(counted(), impl_->code.interfaces());
    for (std::size_t i = 0; i < impl_->code.calls.size(); ++i) {
        if (const auto& state = impl_->code.calls[i].state) {
            copy.impl_->code.calls[i].state = state->clone();
        }
    }
    for (const auto& [name, state] : impl_->shared) {
        copy.impl_->shared[name] = state->clone();
    }
    copy.impl_->bind_shared();
    return copy;
}

void Program::Impl::bind_shared() {
    for (Code::Call& call : code.calls) {
        if (const std::string name = call.match->shared_name(); !name.empty()) {
            auto& state = shared[name];
            call.match->join(state);
            call.shared = state.get();
        }
    }
}

bool Program::has(Family family, TableId table, Hook hook) const {
    return impl_->table(family, table).entry[static_cast<std::size_t>(hook)] >= 0;
}

bool Program::loaded(Family family, TableId table) const {
    return impl_->table(family, table).loaded;
}

Outcome Program::run(TableId table, Hook hook, Packet& packet, Instant now,
                     Environment& environment, RuleObserver* observer) {
    CompiledTable& compiled = impl_->table(packet.layout.family, table);
    const std::int32_t entry = compiled.entry[static_cast<std::size_t>(hook)];
    if (entry < 0) {
        return {};
    }
    Subject subject{packet, table, hook, now, environment};
    Walk walk(impl_->code, impl_->stack, compiled, subject);
    walk.tell(observer);
    return walk.run(static_cast<std::uint32_t>(entry));
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
        sum += call.state ? call.state->remembered() : 0;
    }
    return sum;
}

const Rule* Program::find(RuleId id) const {
    const auto found = impl_->by_id.find(raw(id));
    return found == impl_->by_id.end() ? nullptr : found->second;
}

}  // namespace nsr::rules
