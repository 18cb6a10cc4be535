// Match: one condition of a rule, with its parameters.
//
// A Match is an immutable value shared by the Ruleset and the programs compiled from it. It knows
// how iptables-save writes it, and how it is compiled: the common ones emit instructions
// (code.hpp) that the evaluator runs in one switch; the rest are called through test(). What a rule
// has to remember between packets (tokens of `limit`, a counter of `statistic`) is a MatchState
// that belongs to the program, never to the Match; see StatefulMatch.
// kernel: struct xt_match
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/action_param.hpp"

namespace nsr::rules {

class Code;
struct PortRange;

// What a packet must have, or else test() says No and does nothing: how an index finds rules
// without a call (program/index.hpp). Empty: nothing in particular.
struct Wanted {
    std::string_view set;  // one that holds the packet's source, or its destination
    bool set_of_sources = false;
    const std::vector<PortRange>* ports = nullptr;  // with one of the packet's ports in them:
    bool source_port = false;
    bool destination_port = false;
};

// HotDrop: the packet is dropped on the spot, because the header that the match has to read is cut
// short or its table is full. kernel: xt_action_param.hotdrop
enum class MatchResult : std::uint8_t { No, Yes, HotDrop };

constexpr MatchResult yes_if(bool condition) {
    return condition ? MatchResult::Yes : MatchResult::No;
}

class Match {
  public:
    // `module` is the name after -m; empty for built-in conditions (-p, -s, ...).
    explicit Match(std::string_view module) : module_(module) {}
    virtual ~Match() = default;
    Match(const Match&) = delete;
    Match& operator=(const Match&) = delete;

    [[nodiscard]] std::string_view module() const { return module_; }
    // The options as iptables-save writes them, without "-m MODULE"; no blanks at the ends.
    [[nodiscard]] virtual std::string save() const = 0;
    // Emits instructions; the default emits a call of test().
    virtual void compile(Code& code) const;
    [[nodiscard]] virtual MatchResult test(ActionParam& par) const;
    // What it remembers when it has seen nothing yet; null: it remembers nothing.
    [[nodiscard]] virtual std::unique_ptr<MatchState> make_state() const { return nullptr; }
    // The name under which it shares its state with other rules; empty: it has its own.
    [[nodiscard]] virtual std::string shared_name() const { return {}; }
    // Says to a state that somebody made what this match needs of it.
    virtual void join(MatchState& /*shared*/) const {}
    // The same need is over.
    virtual void leave(MatchState& /*shared*/) const {}
    // The name of the address set it asks, which must exist; empty: none.
    [[nodiscard]] virtual std::string_view set_name() const { return {}; }
    [[nodiscard]] virtual bool needs_tracking() const { return false; }
    // See Wanted. What it says must hold for packets whose headers are not cut short.
    [[nodiscard]] virtual Wanted wanted() const { return {}; }
    // Its work grows with the packet: it counts as more; see kMostWork.
    [[nodiscard]] virtual bool searches_packet() const { return false; }
    // Reads the counters of connections. kernel: connbytes_mt_check forces nf_conntrack_acct on
    [[nodiscard]] virtual bool needs_accounting() const { return false; }
    // It is not supported, and stands in the rule all the same; see language/tolerated.hpp.
    [[nodiscard]] virtual bool tolerated() const { return false; }
    // Where it may stand. kernel: xt_match.hooks, .table and its checkentry
    [[nodiscard]] virtual std::uint8_t hooks() const { return kAllHooks; }

  private:
    std::string_view module_;
};

// A match that remembers a State. A name that is shared means the same State wherever it is used.
template <class State>
class StatefulMatch : public Match {
  public:
    using Match::Match;

    // The program hands back what make_state() of this match, or of one of its kind that has the
    // same shared_name(), made: always a Kept.
    [[nodiscard]] MatchResult test(ActionParam& par) const final {
        return test(par, static_cast<Kept&>(*par.state).state);
    }
    [[nodiscard]] std::unique_ptr<MatchState> make_state() const final {
        return std::make_unique<Kept>(first_state());
    }
    void join(MatchState& shared) const final { join(static_cast<Kept&>(shared).state); }
    void leave(MatchState& shared) const final { leave(static_cast<Kept&>(shared).state); }

  protected:
    [[nodiscard]] virtual MatchResult test(ActionParam& par, State& state) const = 0;
    [[nodiscard]] virtual State first_state() const { return {}; }
    virtual void join(State& /*state*/) const {}
    virtual void leave(State& /*state*/) const {}

  private:
    struct Kept final : MatchState {
        explicit Kept(State first) : state(std::move(first)) {}
        [[nodiscard]] std::size_t remembered() const override {
            if constexpr (requires { state.remembered(); }) {
                return state.remembered();
            }
            return 0;
        }
        State state;
    };
};

}  // namespace nsr::rules
