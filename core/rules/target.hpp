// Target: what a rule does with the packets that it matches.
//
// Verdicts, jumps and MARK become part of the program itself, so that the evaluator runs them
// without a call; everything else is called through apply(), which may change the packet and says
// whether the walk goes on.
// kernel: struct xt_target
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/action_param.hpp"
#include "core/rules/verdict.hpp"

namespace nsr::rules {

class Match;
class Target;
struct TimeoutUse;

enum class Action : std::uint8_t { Count, Accept, Drop, Return, Jump, Goto, Mark, Call };

// What the evaluator does for a rule that matches.
struct CompiledTarget {
    Action action = Action::Count;
    std::uint32_t operand = 0;       // Mark: value; Jump, Goto: number of name() in the program
    std::uint32_t mask = 0;          // Mark: mark = (mark & ~mask) ^ value
    const Target* target = nullptr;  // Call
};

class Target {
  public:
    explicit Target(std::string_view name) : name_(name) {}
    virtual ~Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    // What stands behind -j or -g.
    [[nodiscard]] const std::string& name() const { return name_; }
    // The options as iptables-save writes them; no blanks at the ends.
    [[nodiscard]] virtual std::string save() const { return {}; }
    // The default is a call of apply(). Where a jump leads to is found when it is linked.
    [[nodiscard]] virtual CompiledTarget compile() const {
        return {.action = Action::Call, .target = this};
    }
    // Fills `verdict.reject` or `verdict.range` when it answers Reject or Nat.
    [[nodiscard]] virtual TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const;
    // Whether name() is a user chain that it goes to, and whether a return comes back behind it.
    enum class Jump : std::uint8_t { None, Call, Goto };
    [[nodiscard]] virtual Jump jump() const { return Jump::None; }
    // The same jump to a chain that has another name now. Precondition: it is a jump.
    [[nodiscard]] virtual std::shared_ptr<const Target> renamed(std::string_view /*chain*/) const {
        return nullptr;
    }
    // The names of the address sets it changes or asks, which must exist.
    [[nodiscard]] virtual std::vector<std::string_view> set_names() const { return {}; }
    // What it does to a packet hangs on what a set holds.
    [[nodiscard]] virtual bool asks_sets() const { return false; }
    [[nodiscard]] virtual bool needs_tracking() const { return false; }
    // The timeout policy that it gives to connections, which must exist. Null: none.
    [[nodiscard]] virtual const TimeoutUse* timeout_use() const { return nullptr; }
    // What it allows NAT to choose from; the addresses count only if they do not hang on the
    // packet. Null: it translates nothing, or no source.
    [[nodiscard]] virtual const nat::Range* source_range() const { return nullptr; }
    // What it remembers between packets, as a match that says yes to all of them and is asked
    // behind those of its rule. Null: nothing. Lives as long as the target.
    [[nodiscard]] virtual const Match* memory() const { return nullptr; }
    // Its work grows with the packet: it counts as more; see kMostWork.
    [[nodiscard]] virtual bool copies_packet() const { return false; }
    // It is not supported, and stands in the rule all the same; see language/tolerated.hpp.
    [[nodiscard]] virtual bool tolerated() const { return false; }
    // Where it may stand. kernel: xt_target.hooks and .table
    [[nodiscard]] virtual std::uint8_t hooks() const { return kAllHooks; }

  private:
    std::string name_;
};

}  // namespace nsr::rules
