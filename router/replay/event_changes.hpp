// What the events of a replay do to its router, as an administrator would.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

class EventChanges {
  public:
    // All of them must outlive it. What cannot be done is told as a line of `complaints`;
    // `memory_bytes` are those that sysctls reckon with.
    EventChanges(Router& router, const Config& config, std::uint64_t memory_bytes,
                 std::vector<std::string>& complaints)
        : router_(router),
          config_(config),
          memory_bytes_(memory_bytes),
          complaints_(complaints),
          tables4_(config.rule_tables4),
          tables6_(config.rule_tables6) {}

    void carry_out(const ReplayEvent& event, Instant now);
    // Those that the rules name that were loaded last.
    [[nodiscard]] const std::vector<std::string>& tables(Family family) const {
        return family == Family::Ipv4 ? tables4_ : tables6_;
    }

  private:
    void change_sets(const ReplayEvent& event, Instant now);
    void change_timeouts(const ReplayEvent& event);
    void load_rules(const RuleFile& file, Instant now);
    void write_sysctls(const ReplayEvent& event);
    void complain(const SourceLocation& where, const std::string& what);

    Router& router_;
    const Config& config_;
    std::uint64_t memory_bytes_;
    std::vector<std::string>& complaints_;
    std::vector<std::string> tables4_;
    std::vector<std::string> tables6_;
};

}  // namespace nsr::router
