// RuleList: the rules of both families in the order in which they are asked.
//
// Every list begins with those that the kernel makes: local (0), main (32766) and, for IPv4,
// default (32767). They may be removed as any other. kernel: fib_rules_ops
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/routing/policy_rule.hpp"

namespace nsr::routing {

inline constexpr std::uint32_t kMainPriority = 32766;
inline constexpr std::uint32_t kDefaultPriority = 32767;

// Exists: an equal one. Backwards: goto leads to an earlier rule, or to itself.
enum class RuleChange : std::uint8_t { Done, Exists, Backwards, Missing };

// Which rule is meant: what `like` asks for, it must ask for, too.
struct RuleQuery {
    PolicyRule like;
    std::optional<std::uint32_t> priority = std::nullopt;
    bool any_action = false;  // `like` says nothing of action and table
};

class RuleList {
  public:
    RuleList();

    // `ip rule add`. Without a priority: before all others but the first. kernel:
    // fib_default_rule_pref
    RuleChange add(PolicyRule rule, std::optional<std::uint32_t> priority);
    // `ip rule del`: the first one that is meant.
    RuleChange remove(const RuleQuery& query);
    // `ip rule flush`: all but those of priority 0.
    void flush(Family family);
    // Those of the kernel and these, which have their priorities.
    void assign(const std::vector<PolicyRule>& rules);

    [[nodiscard]] const std::vector<PolicyRule>& of(Family family) const {
        return rules_[index_of(family)];
    }
    // Nothing but the kernel's own.
    [[nodiscard]] bool untouched(Family family) const;

  private:
    [[nodiscard]] std::uint32_t free_priority(Family family) const;

    std::array<std::vector<PolicyRule>, 2> rules_;
};

}  // namespace nsr::routing
