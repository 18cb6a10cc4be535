#include "core/rules/program/traversal.hpp"

#include "core/base/check.hpp"

namespace nsr::rules {

namespace {

void count(RuleCounters& counters, const Packet& packet) {
    ++counters.packets;
    counters.bytes += packet.layout.total_length;
}

}  // namespace

TableVerdict Traversal::run(std::uint32_t chain) {
    entry_ = chain;
    go_to({.chain = chain});
    while (true) {
        const bool settled = at_.next == end_ ? end_of_block() : try_rule(at_.next++);
        if (settled) {
            return verdict_;
        }
    }
}

void Traversal::go_to(const Frame& frame) {
    at_ = frame;
    const CompiledChain& chain = *table_.chains[frame.chain];
    if (frame.block == chain.blocks.size()) {
        code_ = nullptr;
        end_ = at_.next;
        return;
    }
    const LinkedBlock& block = chain.blocks[frame.block];
    BlockMemory& memory = *memory_[frame.chain].blocks[frame.block];
    code_ = block.code.get();
    link_ = &block.link;
    counters_ = memory.counters.data();
    running_ = {&code_->code, link_->interfaces.data(), memory.states.data()};
    end_ = static_cast<std::uint32_t>(code_->rules.size());
}

bool Traversal::try_rule(std::uint32_t row) {
    const CompiledRule& rule = code_->rules[row];
    const bool matched = matches(rule);
    if (observer_ != nullptr) {
        observer_->rule_tried(par_.table, table_.chains[at_.chain]->source->name,
                              *code_->source->rows[row].rule, matched);
    }
    if (hot_drop_) {
        return decide(TargetVerdict::Drop);
    }
    if (!matched) {
        return false;
    }
    count(counters_[row], par_.packet);
    return step(rule);
}

bool Traversal::matches(const CompiledRule& rule) {
    const Instruction* instructions = running_.code->instructions.data();
    for (std::uint32_t i = rule.first; i != rule.end; ++i) {
        const MatchResult result = evaluate(running_, instructions[i], par_);
        if (result != MatchResult::Yes) {
            hot_drop_ = result == MatchResult::HotDrop;
            return false;
        }
    }
    return true;
}

// True once the packet's fate in this table is settled.
bool Traversal::step(const CompiledRule& rule) {
    switch (rule.then.action) {
        case Action::Count:
            return false;
        case Action::Accept:
            return decide(TargetVerdict::Accept);
        case Action::Drop:
            return decide(TargetVerdict::Drop);
        case Action::Return:
            return leave_chain();
        case Action::Jump:
        case Action::Goto:
            jump(link_->chains[rule.then.operand], rule.then.action == Action::Jump);
            return false;
        case Action::Mark: {
            Mark& mark = par_.packet.meta.mark;
            mark = (mark & ~rule.then.mask) ^ rule.then.operand;
            return false;
        }
        case Action::Call:
            return call(rule);
    }
    return false;
}

bool Traversal::end_of_block() {
    if (code_ == nullptr || at_.block + 1 == table_.chains[at_.chain]->blocks.size()) {
        return leave_chain();
    }
    go_to({at_.chain, at_.block + 1, 0});
    return false;
}

// At the end of a chain or at RETURN: back to the last jump (a goto left no mark), or the policy.
bool Traversal::leave_chain() {
    if (depth_ == 0) {
        return apply_policy();
    }
    go_to(stack_[--depth_]);
    return false;
}

void Traversal::jump(std::uint32_t chain, bool come_back) {
    if (come_back) {
        NSR_CHECK(depth_ < stack_.size());
        stack_[depth_++] = at_;
    }
    go_to({.chain = chain});
}

bool Traversal::apply_policy() {
    const Chain& chain = *table_.chains[entry_]->source;
    count(memory_[entry_].policy, par_.packet);
    verdict_.verdict = chain.policy == Policy::Drop ? TargetVerdict::Drop : TargetVerdict::Accept;
    verdict_.rule = RuleId::None;
    if (observer_ != nullptr) {
        observer_->policy_applied(par_.table, chain.name, chain.policy);
    }
    return true;
}

bool Traversal::call(const CompiledRule& rule) {
    const TargetVerdict verdict = rule.then.target->apply(par_, verdict_);
    return verdict != TargetVerdict::Continue && decide(verdict);
}

// By the rule that was tried last.
bool Traversal::decide(TargetVerdict verdict) {
    verdict_.verdict = verdict;
    verdict_.rule = code_->source->rows[at_.next - 1].id;
    return true;
}

}  // namespace nsr::rules
