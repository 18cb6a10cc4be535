// Program: a Ruleset compiled for the packet path, and the evaluator.
//
// Theory of operation
//   Each chain becomes a flat run of instructions: cheap header and interface tests first (in an
//   order that cannot change the result), then the other matches in order, then the target.
//   Interface names become sets of IfIndex, protocol tests one compare. Rule and policy counters
//   live here while the program runs; who wants them takes a copy of the ruleset, counted().
//   run() walks one built-in chain of one table and says what was decided; side effects that
//   xtables targets have on the packet itself (MARK, NOTRACK, TTL, DSCP, TCPMSS, ...) are done by
//   run(); NAT ranges and REJECT are reported, for the pipeline to carry out.
// kernel: ipt_do_table
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/rules/action_param.hpp"
#include "core/rules/observer.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/verdict.hpp"

namespace nsr::rules {

class Program {
  public:
    // Interface names are bound to the indices in `interfaces` now; the program keeps the ruleset.
    Program(Ruleset ruleset, const std::vector<std::pair<std::string, IfIndex>>& interfaces);
    ~Program();
    Program(Program&&) noexcept;
    Program& operator=(Program&&) noexcept;

    // Keeps what rules remember (tokens of `limit`, lists of `recent`): that of rules which both
    // programs hold, and of lists still in use under their names. `previous` is spent.
    void take_over(Program& previous);

    // Is there anything to run (table loaded and has this chain)?
    [[nodiscard]] bool has(Family family, TableId table, Hook hook) const;
    [[nodiscard]] bool loaded(Family family, TableId table) const;

    // What par.table says at par.hook. Null observer: nobody watches.
    TableVerdict run(ActionParam par, RuleObserver* observer = nullptr);

    // The ruleset as it was given; its counters are those of then.
    [[nodiscard]] const Ruleset& ruleset() const;
    // A copy of it with the counters of now.
    [[nodiscard]] Ruleset counted() const;
    [[nodiscard]] const Rule* find(RuleId id) const;
    // How much its rules remember between packets; see MatchState::remembered.
    [[nodiscard]] std::size_t remembered() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::rules
