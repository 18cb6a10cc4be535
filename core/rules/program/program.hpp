// Program: a Ruleset compiled for the packet path, and the evaluator.
//
// Theory of operation
//   Each block of rules becomes a flat run of instructions: cheap header and interface tests first
//   (in an order that cannot change the result), then the other matches in order, then the target.
//   A program is made of what never changes and may be shared with other programs (compiled.hpp)
//   and of what its packets change (memory.hpp: counters, what rules remember). So the next one can
//   be built on `base()` in another thread while this one runs: only what is new is compiled. Then,
//   between two batches, take_over() moves the memory of all that goes on; the program before it is
//   spent and may be destroyed elsewhere. run() walks one built-in chain of one table, unless it
//   knows what came of that for packets of the same kind (verdict_cache.hpp), and says what was
//   decided; side effects that xtables targets have on the packet itself (MARK, NOTRACK, TTL,
//   DSCP, TCPMSS, ...) are done by run(); NAT ranges and REJECT are reported, for the pipeline to
//   carry out.
// kernel: ipt_do_table, xt_replace_table
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "core/rules/action_param.hpp"
#include "core/rules/counters.hpp"
#include "core/rules/observer.hpp"
#include "core/rules/program/compiled.hpp"
#include "core/rules/program/counters_reading.hpp"
#include "core/rules/program/succession.hpp"
#include "core/rules/program/verdict_cache.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/verdict.hpp"

namespace nsr::rules {

class Program {
  public:
    using Base = rules::Base;

    // Names of interfaces are bound to the indices in `interfaces` now.
    Program(Ruleset ruleset, InterfaceNames interfaces);
    // What is in `base` is not made again; it must take over before it runs.
    Program(Ruleset ruleset, InterfaceNames interfaces, const Base& base);
    ~Program();
    Program(Program&&) noexcept;
    Program& operator=(Program&&) noexcept;

    // For a program that is to follow this one: what was read of its counters, the rest is shared.
    // Precondition: read_counters() said true, and nothing has taken over since.
    [[nodiscard]] Base base(CountersReading& reading) const;
    [[nodiscard]] Base base() const;  // in one go
    // Keeps what rules count and remember: that of rules which both programs hold, and of lists
    // still in use under their names. `previous` is spent. In no time if this was built on a base
    // of `previous`, else it is built anew.
    void take_over(Program& previous);

    // Is there anything to run (table loaded and has this chain)?
    [[nodiscard]] bool has(Family family, TableId table, Hook hook) const {
        return (chains_[index_of(family)] >> chain_number(table, hook) & 1) != 0;
    }
    [[nodiscard]] bool loaded(Family family, TableId table) const {
        return (tables_[index_of(family)] >> static_cast<unsigned>(table) & 1) != 0;
    }

    // What par.table says at par.hook. Null observer: nobody watches. Valid until the next run().
    const TableVerdict& run(ActionParam& par, RuleObserver* observer = nullptr);
    // What is known of the connection of a packet that will be shown to run().
    void prefetch(const Packet& packet) const;

    [[nodiscard]] const Ruleset& ruleset() const;
    [[nodiscard]] const InterfaceNames& interfaces() const;
    // Reads some thousand more counters. False: call again. What was read of a program that is no
    // longer this one is read anew.
    bool read_counters(CountersReading& reading) const;
    // The ruleset with the counters of now, in one go.
    [[nodiscard]] Counted counted() const;
    // See rules::needs_tracking; known without a walk.
    [[nodiscard]] const std::string& needs_tracking(Family family) const;
    // See rules::begins_accounting, against the base.
    [[nodiscard]] bool begins_accounting() const;
    // Nothing: no rule has this id.
    [[nodiscard]] std::optional<RulePlace> find(RuleId id) const;
    // How much its rules remember between packets; see MatchState::remembered.
    [[nodiscard]] std::size_t remembered() const;

  private:
    void note_chains();
    void order_chains();
    const TableVerdict& walk(const VerdictCache::Sought* sought, ActionParam& par,
                             RuleObserver* observer);

    struct Impl;
    std::unique_ptr<Impl> impl_;
    // By family: bits of the chains and of the tables that there are.
    std::array<std::uint32_t, 2> chains_{};
    std::array<std::uint32_t, 2> tables_{};
    // Where the walks of a connection lie; see order_chains().
    struct Walks {
        std::uint8_t places = 0;
        std::uint8_t of_forwarded = 0;                               // the first of them
        std::array<std::uint8_t, kTableCount * kHookCount> order{};  // by chain_number()
    };
    std::array<Walks, 2> walks_;  // by family
};

}  // namespace nsr::rules
