// Traversal: one packet's way through one table.
// kernel: ipt_do_table, ip6t_do_table
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rules/observer.hpp"
#include "core/rules/program/compiled.hpp"

namespace nsr::rules {

class Traversal {
  public:
    // Where a jump comes back to.
    struct Frame {
        std::uint32_t chain = 0;
        std::uint32_t next = 0;
    };

    Traversal(const Code& code, std::vector<Frame>& stack, CompiledTable& table, ActionParam& par)
        : code_(code), stack_(stack), table_(table), par_(par) {}
    void set_observer(RuleObserver* observer) { observer_ = observer; }

    // From the beginning of built-in chain `chain` to a verdict.
    TableVerdict run(std::uint32_t chain);

  private:
    bool matches(const CompiledRule& rule);
    bool step(CompiledRule& rule);
    bool leave_chain();
    void jump(std::uint32_t chain, bool come_back);
    void enter(std::uint32_t chain);
    bool apply_policy();
    bool call(const CompiledRule& rule);
    // The packet's fate in this table is settled: true, for its callers.
    bool decide(TargetVerdict verdict, const CompiledRule& rule);

    const Code& code_;
    std::vector<Frame>& stack_;
    CompiledTable& table_;
    ActionParam& par_;
    RuleObserver* observer_ = nullptr;
    TableVerdict verdict_;
    std::uint32_t entry_ = 0;
    std::uint32_t chain_ = 0;
    std::uint32_t next_ = 0;
    std::size_t depth_ = 0;
    bool hot_drop_ = false;
};

}  // namespace nsr::rules
