// Traversal: one packet's way through one table.
// kernel: ipt_do_table, ip6t_do_table
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/rules/limits.hpp"
#include "core/rules/observer.hpp"
#include "core/rules/program/candidates.hpp"
#include "core/rules/program/compiled.hpp"
#include "core/rules/program/evaluate.hpp"
#include "core/rules/program/memory.hpp"
#include "core/rules/program/verdict_cache.hpp"

namespace nsr::rules {

class Traversal {
  public:
    // Where a jump comes back to.
    struct Frame {
        std::uint32_t chain = 0;
        std::uint32_t block = 0;
        std::uint32_t next = 0;
    };

    // Memory that is kept from one traversal to the next.
    struct Room {
        std::vector<Frame> stack;
        Candidates candidates;
        HeldBySets held;
    };

    Traversal(const CompiledTable& table, const InterfaceKeys& interfaces, TableMemory& memory,
              Room& room, ActionParam& par)
        : table_(table), interfaces_(interfaces), memory_(memory), room_(room), par_(par) {
        par_.work_left = &work_left_;
    }
    ~Traversal() { par_.work_left = nullptr; }
    Traversal(const Traversal&) = delete;
    Traversal& operator=(const Traversal&) = delete;
    void set_observer(RuleObserver* observer) { observer_ = observer; }

    // From the beginning of built-in chain `chain` to a verdict.
    TableVerdict run(std::uint32_t chain);
    // Afterwards: what the walk counted; nothing if the next packet of the same key may fare
    // otherwise, or too much was counted. See VerdictCache.
    [[nodiscard]] std::optional<std::span<RuleCounters* const>> repeatable() const {
        return repeatable_ ? std::optional(std::span(counted_).first(counted_count_))
                           : std::nullopt;
    }

  private:
    void go_to(const Frame& frame);
    bool use_index();
    template <class Index>
    void look_at_sets(const Index& index);
    void leave_index_if_sets_gained();
    std::uint32_t next_candidate();
    bool try_rule(std::uint32_t row);
    void tell(std::uint32_t row, bool matched);
    bool matches(const CompiledRule& rule);
    bool step(const CompiledRule& rule);
    bool end_of_block();
    [[nodiscard]] std::size_t next_block();
    bool leave_chain();
    bool jump(std::uint32_t chain, bool come_back);
    bool apply_policy();
    bool call(const CompiledRule& rule);
    // The packet's fate in this table is settled: true, for its callers.
    bool decide(TargetVerdict verdict);
    bool give_up();
    void count(RuleCounters& counters);

    const CompiledTable& table_;
    const InterfaceKeys& interfaces_;
    TableMemory& memory_;
    Room& room_;
    ActionParam& par_;
    RuleObserver* observer_ = nullptr;
    TableVerdict verdict_;
    std::uint32_t entry_ = 0;

    Frame at_;  // `next` is the rule to try next
    // Of the block at hand; null in a chain without rules.
    const CompiledBlock* code_ = nullptr;
    const Link* link_ = nullptr;
    RuleCounters* counters_ = nullptr;
    RunningBlock running_;
    std::uint32_t in_turn_ = 0;  // rules below are tried one by one
    std::uint32_t end_ = 0;      // those from in_turn_ on are the candidates of the index
    bool looked_up_ = false;
    std::optional<ChainIndex::Groups> groups_;  // of blocks of this chain to look at
    std::optional<PacketKey> key_;
    bool without_index_ = false;  // for the rest of the walk
    std::array<bool, 2> held_known_{};
    std::uint64_t gains_ = 0;  // of the sets, when they were looked at

    std::size_t depth_ = 0;
    std::uint32_t jumps_ = 0;
    std::int64_t work_left_ = kMostWork;
    bool hot_drop_ = false;
    bool repeatable_ = true;
    std::array<RuleCounters*, VerdictCache::kMostCounted> counted_;  // valid: the first of them
    std::size_t counted_count_ = 0;
};

}  // namespace nsr::rules
