// ExistingConnections: what a reload does with the connections that there are and that the new
// rules would treat differently if they began now.
//
// Theory of operation
//   The table may be large: it is gone through in portions. On the loop a portion is copied
//   (collect); the worker has the new rules judge it (judge; core/pipeline/trial.hpp says how); on
//   the loop those that differ are ended or have to be accepted again (carry_out), if they are
//   still what they were.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/pipeline/trial.hpp"
#include "router/control/controls.hpp"
#include "router/tools/conntrack/command.hpp"

namespace nsr::router {

class ExistingConnections {
  public:
    struct Rules {
        rules::Ruleset before;
        rules::Ruleset after;
    };
    explicit ExistingConnections(ReloadRequest request) : request_(request) {}

    // In the worker, once: what judge() goes by.
    void prepare(const Trial::Surroundings& surroundings, Rules rules);

    // False: there are none left.
    bool collect(const Router& router, Instant now);
    void judge();
    void carry_out(Router& router, Instant now);
    // What was done, or (of a dry run) what would be, a line each.
    [[nodiscard]] std::string report() const;

  private:
    struct One {
        ConnId id = ConnId::None;
        conntrack::Tuple original;
        JudgedConnection known;
        RuleId accepted_by = RuleId::None;
        bool differs = false;
    };

    void tell(const One& one, const Trial::Outcome& outcome);
    static std::string place(const RulePlaces& places, RuleId rule);

    ReloadRequest request_;
    std::unique_ptr<Trial> trial_;
    RulePlaces before_;
    RulePlaces after_;
    conntrack::Table::Cursor cursor_;
    Instant now_{};
    std::vector<One> portion_;
    std::string lines_;
    std::size_t told_ = 0;
    std::size_t judged_ = 0;
    std::size_t differ_ = 0;
    std::size_t unsure_ = 0;
};

}  // namespace nsr::router
