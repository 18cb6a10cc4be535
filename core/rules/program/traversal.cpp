#include "core/rules/program/traversal.hpp"

#include "core/base/check.hpp"
#include "core/rules/program/packet_key.hpp"
#include "core/sets/sets.hpp"

namespace nsr::rules {

namespace {

// So many rules at the beginning of a chain are as quick as a look into an index, and most packets
// go no further.
constexpr std::uint32_t kFirstInTurn = 4;

// Of a call, in instructions.
constexpr std::int64_t kCallWork = 32;

std::int64_t work_of_call(const Instruction& call, const Packet& packet) {
    const bool searches = call.high != 0;
    return kCallWork + (searches ? static_cast<std::int64_t>(packet.size()) : 0);
}

}  // namespace

void Traversal::count(RuleCounters& counters) {
    ++counters.packets;
    counters.bytes += par_.packet.layout.total_length;
    if (counted_count_ < counted_.size()) {
        counted_[counted_count_++] = &counters;
    } else {
        repeatable_ = false;
    }
}

TableVerdict Traversal::run(std::uint32_t chain) {
    entry_ = chain;
    go_to({.chain = chain});
    while (true) {
        const std::uint32_t row = at_.next < in_turn_ ? at_.next : next_candidate();
        const bool settled = row == Candidates::kNone ? end_of_block() : try_rule(row);
        if (settled) {
            return verdict_;
        }
    }
}

void Traversal::go_to(const Frame& frame) {
    at_ = frame;
    groups_.reset();
    const CompiledChain& chain = *table_.chains[frame.chain];
    if (frame.block == chain.blocks.size()) {
        code_ = nullptr;
        in_turn_ = end_ = at_.next;
        return;
    }
    const LinkedBlock& block = chain.blocks[frame.block];
    BlockMemory& memory = *memory_[frame.chain].blocks[frame.block];
    code_ = block.code.get();
    link_ = &block.link;
    counters_ = memory.counters.data();
    running_ = {&code_->code, link_->interfaces.data(), memory.states.data()};
    end_ = static_cast<std::uint32_t>(code_->rules.size());
    in_turn_ = end_;
    if (code_->index.helps() && use_index()) {
        in_turn_ = frame.block == 0 && frame.next == 0 ? kFirstInTurn : frame.next;
    }
    looked_up_ = false;
}

// Who wants to be told of every rule has them all tried.
bool Traversal::use_index() {
    if (without_index_ || (observer_ != nullptr && observer_->wants_every_rule())) {
        return false;
    }
    if (!key_) {
        key_ = key_of(par_.packet, interfaces_);
    }
    return !key_->irregular;
}

std::uint32_t Traversal::next_candidate() {
    if (in_turn_ == end_) {
        return Candidates::kNone;
    }
    if (!looked_up_) {
        look_at_sets(code_->index);
        const std::size_t looks =
            room_.candidates.look_up(code_->index, *key_, room_.held, at_.next);
        work_left_ -= static_cast<std::int64_t>(looks);
        looked_up_ = true;
    }
    return room_.candidates.next();
}

// Once for each of the packet's two addresses that rules with an index ask sets for.
template <class Index>
void Traversal::look_at_sets(const Index& index) {
    for (std::size_t side = 0; side < held_known_.size(); ++side) {
        if (held_known_[side] || index.sets()[side].names.empty()) {
            continue;
        }
        repeatable_ = false;
        const Layout& layout = par_.packet.layout;
        par_.sets.may_hold(side == 0 ? layout.source : layout.destination, room_.held[side]);
        held_known_[side] = true;
        gains_ = par_.sets.gains();
    }
}

// Which a target did: what was looked up of sets may leave out a rule. There is seldom such a
// packet, the first one from an address.
void Traversal::leave_index_if_sets_gained() {
    const bool known = held_known_[0] || held_known_[1];
    if (known && par_.sets.gains() != gains_) {
        without_index_ = true;
        in_turn_ = end_;
    }
}

bool Traversal::try_rule(std::uint32_t row) {
    at_.next = row + 1;
    const CompiledRule& rule = code_->rules[row];
    const bool matched = matches(rule);
    if (observer_ != nullptr) {
        tell(row, matched);
    }
    if (hot_drop_) {
        repeatable_ = false;
        return decide(TargetVerdict::Drop);
    }
    if (work_left_ < 0) {
        return give_up();
    }
    if (!matched) {
        return false;
    }
    count(counters_[row]);
    return step(rule);
}

void Traversal::tell(std::uint32_t row, bool matched) {
    const CompiledChain& chain = *table_.chains[at_.chain];
    std::uint32_t number = row + 1;
    for (std::size_t block = 0; block < at_.block; ++block) {
        number += static_cast<std::uint32_t>(chain.blocks[block].code->rules.size());
    }
    observer_->rule_tried({par_.table, chain.source->name, number, *code_->source->rows[row].rule,
                           counters_[row], matched});
}

bool Traversal::matches(const CompiledRule& rule) {
    const Instruction* const first = running_.code->instructions.data() + rule.first;
    const Instruction* const end = running_.code->instructions.data() + rule.end;
    const Instruction* at = first;
    for (; at != end; ++at) {
        const MatchResult result = evaluate(running_, *at, par_);
        repeatable_ = repeatable_ && told_by_key(at->op);
        if (at->op == Op::Call) {
            work_left_ -= work_of_call(*at, par_.packet);
        }
        if (result != MatchResult::Yes) {
            hot_drop_ = result == MatchResult::HotDrop;
            break;
        }
    }
    work_left_ -= at - first + 1;
    return at == end;
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
            return jump(link_->chains[rule.then.operand], rule.then.action == Action::Jump);
        case Action::Mark: {
            repeatable_ = false;
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
    const std::size_t block = next_block();
    if (block == table_.chains[at_.chain]->blocks.size()) {
        return leave_chain();
    }
    const auto groups = groups_;  // of the same chain
    go_to({at_.chain, static_cast<std::uint32_t>(block), 0});
    groups_ = groups;
    return false;
}

std::size_t Traversal::next_block() {
    const CompiledChain& chain = *table_.chains[at_.chain];
    const std::size_t next = code_ != nullptr ? at_.block + 1u : chain.blocks.size();
    if (!chain.index.helps() || !use_index()) {
        return next;
    }
    if (!groups_) {
        look_at_sets(chain.index);
        std::size_t looks = 0;
        groups_ = chain.index.find(*key_, room_.held, looks);
        work_left_ -= static_cast<std::int64_t>(looks);
    }
    return chain.index.next(*groups_, next);
}

// At the end of a chain or at RETURN: back to the last jump (a goto left no mark), or the policy.
bool Traversal::leave_chain() {
    if (depth_ == 0) {
        return apply_policy();
    }
    go_to(room_.stack[--depth_]);
    return false;
}

bool Traversal::jump(std::uint32_t chain, bool come_back) {
    if (++jumps_ > kMostJumps) {
        return give_up();
    }
    if (come_back) {
        NSR_CHECK(depth_ < room_.stack.size());
        room_.stack[depth_++] = at_;
    }
    go_to({.chain = chain});
    return false;
}

bool Traversal::apply_policy() {
    const Chain& chain = *table_.chains[entry_]->source;
    count(memory_[entry_].policy);
    verdict_.verdict = chain.policy == Policy::Drop ? TargetVerdict::Drop : TargetVerdict::Accept;
    verdict_.rule = RuleId::None;
    if (observer_ != nullptr) {
        observer_->policy_applied(par_.table, chain.name, chain.policy);
    }
    return true;
}

bool Traversal::call(const CompiledRule& rule) {
    repeatable_ = false;
    const bool copies = rule.then.target->copies_packet();
    work_left_ -= kCallWork + (copies ? static_cast<std::int64_t>(par_.packet.size()) : 0);
    const TargetVerdict verdict = rule.then.target->apply(par_, verdict_);
    leave_index_if_sets_gained();
    return verdict != TargetVerdict::Continue && decide(verdict);
}

bool Traversal::give_up() {
    repeatable_ = false;
    verdict_.verdict = TargetVerdict::Drop;
    verdict_.rule = RuleId::None;
    verdict_.exhausted = true;
    return true;
}

// By the rule that was tried last.
bool Traversal::decide(TargetVerdict verdict) {
    verdict_.verdict = verdict;
    verdict_.rule = code_->source->rows[at_.next - 1].id;
    return true;
}

}  // namespace nsr::rules
