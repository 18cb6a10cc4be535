// Succession: which memory of one program goes on in the next, and what is new.
//
// Theory of operation
//   Made beside the packets, from values that never change, for a program that follows another one.
//   carry_out() then moves memory from the old program to the new one, where packets wait for it:
//   by tables, chains and blocks as far as they are shared, by runs of rules in blocks that
//   changed: of a file that is read again, every block of a chain that has changed is a new one,
//   and packets wait for little more than the copying of its counters. A rule is the same if it has
//   the same id and the same matches. One that was told to count from somewhere else (count_from)
//   gets what was counted since `Base` was taken on top of it.
// kernel: xt_replace_table, and COUNTER_MAP of iptables(8)
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/rules/program/compiled.hpp"
#include "core/rules/program/memory.hpp"

namespace nsr::rules {

// What a program can be built upon while it runs.
struct Base {
    std::shared_ptr<const CompiledRuleset> compiled;  // null: there is nothing
    Counted counted;                                  // by it, up to one moment of its run
};

class Succession {
  public:
    Succession(const CompiledRuleset& next, const Base& base);

    // All that is new, with room for what moves in.
    [[nodiscard]] TableMemories take_memory() { return std::move(memory_); }
    // Precondition: `from` is the memory of the program of `base`. What is over stays in `from`
    // and in here.
    void carry_out(TableMemories& from, TableMemories& to, SharedStates& shared);

  private:
    struct BlockPlace {
        std::uint32_t chain = 0;
        std::uint32_t block = 0;
        friend bool operator==(const BlockPlace&, const BlockPlace&) = default;
    };
    struct RulePlace {
        BlockPlace block;
        std::uint32_t row = 0;
    };
    struct ChainMove {
        std::uint32_t from, to;
    };
    struct PolicyMove {
        std::uint32_t from, to;
        RuleCounters more;
    };
    struct BlockMove {
        BlockPlace from, to;
    };
    // Rules that follow each other in both programs.
    struct RuleRun {
        RulePlace from, to;
        std::uint32_t rules = 0;
        bool anew = false;  // told to count from somewhere else
    };
    struct StateMove {
        BlockPlace from;
        std::uint32_t from_call;
        BlockPlace to;
        std::uint32_t to_call;
    };
    struct Moves {
        bool whole = false;  // nothing but interfaces changed, if at all
        std::vector<ChainMove> chains;
        std::vector<PolicyMove> policies;
        std::vector<BlockMove> blocks;
        std::vector<RuleRun> runs;
        std::vector<RuleCounters> more;  // of the rules of runs that count anew; modulo 2^64
        std::vector<StateMove> states;
    };
    // A call that shares its state.
    struct Bond {
        std::string name;
        const Match* match;
        BlockMemory* memory;
        std::uint32_t call;
        std::unique_ptr<MatchState> spare;
    };
    // One that goes. The match is of the base.
    struct Release {
        std::string name;
        const Match* match;
    };
    class TablePlan;

    static void move(Moves& moves, TableMemory& from, TableMemory& to);
    static void move_counters(const Moves& moves, const TableMemory& from, TableMemory& to);

    TableMemories memory_;
    std::array<std::array<Moves, kTableCount>, 2> moves_;
    std::vector<Bond> bonds_;
    std::vector<Release> released_;
    std::vector<std::unique_ptr<MatchState>> over_;
};

}  // namespace nsr::rules
