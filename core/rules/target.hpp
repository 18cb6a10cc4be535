// Target: what a rule does with the packets that it matches.
//
// The verdicts and jumps are StandardTargets and become part of the program itself; MARK has an
// instruction of its own; everything else is called through apply(), which may change the packet
// and says whether the walk goes on.
// kernel: struct xt_target
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/rules/match.hpp"
#include "core/rules/program/program.hpp"

namespace nsr::rules {

enum class TargetResult : std::uint8_t { Continue, Accept, Drop, Reject, Nat };

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
    // Fills `outcome.reject` or `outcome.range` when it answers Reject or Nat.
    [[nodiscard]] virtual TargetResult apply(Subject& subject, Outcome& outcome) const = 0;
    [[nodiscard]] virtual bool needs_tracking() const { return false; }
    // Where it may stand. kernel: xt_target.hooks and .table
    [[nodiscard]] virtual std::uint8_t hooks() const { return kAllHooks; }

  private:
    std::string name_;
};

// ACCEPT, DROP, RETURN, or a jump to a user chain.
class StandardTarget : public Target {
  public:
    enum class Kind : std::uint8_t { Accept, Drop, Return, Jump, Goto };

    StandardTarget(Kind kind, std::string_view name) : Target(name), kind_(kind) {}
    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] bool is_jump() const { return kind_ == Kind::Jump || kind_ == Kind::Goto; }
    [[nodiscard]] TargetResult apply(Subject& subject, Outcome& outcome) const override;

  private:
    Kind kind_;
};

// mark = (mark & ~mask) ^ value
class MarkTarget : public Target {
  public:
    MarkTarget(std::uint32_t value, std::uint32_t mask)
        : Target("MARK"), value_(value), mask_(mask) {}
    [[nodiscard]] std::uint32_t value() const { return value_; }
    [[nodiscard]] std::uint32_t mask() const { return mask_; }
    [[nodiscard]] std::string save() const override;
    [[nodiscard]] TargetResult apply(Subject& subject, Outcome& outcome) const override;

  private:
    std::uint32_t value_;
    std::uint32_t mask_;
};

}  // namespace nsr::rules
