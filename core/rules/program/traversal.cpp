#include "core/rules/program/traversal.hpp"

#include "core/base/check.hpp"
#include "core/rules/match.hpp"
#include "core/rules/program/evaluate.hpp"

namespace nsr::rules {

namespace {

std::uint64_t length_of(const Packet& packet) {
    return packet.layout.total_length;
}

void count(RuleCounters& counters, const Packet& packet) {
    ++counters.packets;
    counters.bytes += length_of(packet);
}

}  // namespace

TableVerdict Traversal::run(std::uint32_t chain) {
    entry_ = chain;
    enter(chain);
    while (true) {
        if (next_ == table_.chains[chain_].end) {
            if (leave_chain()) {
                return verdict_;
            }
            continue;
        }
        CompiledRule& rule = table_.rules[next_++];
        const bool matched = matches(rule);
        if (observer_ != nullptr) {
            observer_->rule_tried(par_.table, table_.chains[chain_].chain->name, *rule.rule,
                                  matched);
        }
        if (hot_drop_) {
            decide(TargetVerdict::Drop, rule);
            return verdict_;
        }
        if (matched) {
            count(rule.counters, par_.packet);
            if (step(rule)) {
                return verdict_;
            }
        }
    }
}

bool Traversal::matches(const CompiledRule& rule) {
    for (std::uint32_t i = rule.first; i != rule.end; ++i) {
        const MatchResult result = evaluate(code_, code_.instructions[i], par_);
        if (result != MatchResult::Yes) {
            hot_drop_ = result == MatchResult::HotDrop;
            return false;
        }
    }
    return true;
}

// True once the packet's fate in this table is settled.
bool Traversal::step(CompiledRule& rule) {
    switch (rule.then.action) {
        case Action::Count:
            return false;
        case Action::Accept:
            return decide(TargetVerdict::Accept, rule);
        case Action::Drop:
            return decide(TargetVerdict::Drop, rule);
        case Action::Return:
            return leave_chain();
        case Action::Jump:
        case Action::Goto:
            jump(rule.then.operand, rule.then.action == Action::Jump);
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

// At the end of a chain or at RETURN: back to the last jump (a goto left no mark), or the policy.
bool Traversal::leave_chain() {
    if (depth_ == 0) {
        return apply_policy();
    }
    const auto& frame = stack_[--depth_];
    chain_ = frame.chain;
    next_ = frame.next;
    return false;
}

void Traversal::jump(std::uint32_t chain, bool come_back) {
    if (come_back) {
        NSR_CHECK(depth_ < stack_.size());
        stack_[depth_++] = {chain_, next_};
    }
    enter(chain);
}

void Traversal::enter(std::uint32_t chain) {
    chain_ = chain;
    next_ = table_.chains[chain].first;
}

bool Traversal::apply_policy() {
    CompiledChain& chain = table_.chains[entry_];
    count(chain.counters, par_.packet);
    verdict_.verdict = chain.policy == Policy::Drop ? TargetVerdict::Drop : TargetVerdict::Accept;
    verdict_.rule = RuleId::None;
    if (observer_ != nullptr) {
        observer_->policy_applied(par_.table, chain.chain->name, chain.policy);
    }
    return true;
}

bool Traversal::call(const CompiledRule& rule) {
    const TargetVerdict verdict = rule.then.target->apply(par_, verdict_);
    return verdict != TargetVerdict::Continue && decide(verdict, rule);
}

bool Traversal::decide(TargetVerdict verdict, const CompiledRule& rule) {
    verdict_.verdict = verdict;
    verdict_.rule = rule.rule->id;
    return true;
}

}  // namespace nsr::rules
