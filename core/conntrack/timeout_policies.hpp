// TimeoutPolicies: the timeout policies there are, by name for rules and by number for connections.
//
// Theory of operation
//   A connection that begins with a policy keeps its number for its whole life, whatever becomes of
//   the rule. When the policy is removed the connection lives on by the sysctls, so that a number
//   is given out again only when no connection has it any more.
// kernel: nfnetlink_cttimeout.c, nf_ct_timeout_put
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/conntrack/record/timeout_policy.hpp"

namespace nsr::conntrack {

class TimeoutPolicies {
  public:
    // In the place of one of that name. If both are for the same family and protocol, connections
    // of the old one go by the new one. False: there are too many.
    [[nodiscard]] bool put(const TimeoutPolicy& policy);
    // False: there is none. Whether rules name it is for the caller to know.
    bool remove(std::string_view name);

    // Null: there is none.
    [[nodiscard]] const TimeoutPolicy* find(std::string_view name) const;
    [[nodiscard]] TimeoutPolicyId id_of(std::string_view name) const;
    // In the order in which they came; good until the next change.
    [[nodiscard]] std::vector<const TimeoutPolicy*> all() const;
    [[nodiscard]] TimeoutCatalogue catalogue() const;

    // Of a connection that began with it. Null: by the sysctls.
    [[nodiscard]] const Timeouts* timeouts(TimeoutPolicyId id) const;
    // A connection begins with it, or is over. None is nobody's.
    void join(TimeoutPolicyId id);
    void leave(TimeoutPolicyId id);

  private:
    struct Slot {
        std::optional<TimeoutPolicy> policy;
        std::size_t connections = 0;
    };
    [[nodiscard]] TimeoutPolicyId free_slot();
    Slot& slot(TimeoutPolicyId id) { return slots_[raw(id) - std::size_t{1}]; }

    std::vector<Slot> slots_;
    std::map<std::string, TimeoutPolicyId, std::less<>> ids_;
    std::vector<TimeoutPolicyId> order_;
};

}  // namespace nsr::conntrack
