// Match: one condition of a rule, with its parameters.
//
// A Match is an immutable value shared by the Ruleset and the programs compiled from it. It knows
// how iptables-save writes it, and how it is compiled: the common ones emit instructions
// (code.hpp) that the evaluator runs in one switch; the rest are called through test(). What a rule
// has to remember between packets (tokens of `limit`, a counter of `statistic`) is a MatchState
// that belongs to the program, never to the Match.
// kernel: struct xt_match
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

class Code;

// What matches and targets of different rules share under a name, such as the lists of `recent`.
class SharedState {
  public:
    virtual ~SharedState() = default;
    [[nodiscard]] virtual std::unique_ptr<SharedState> clone() const = 0;
};

// What a match or target is shown.
struct Subject {
    Packet& packet;
    TableId table;
    Hook hook;
    Instant now;
    Environment& environment;
    SharedState* shared = nullptr;  // what the match at work named in shared_name()
};

// HotDrop: the packet is dropped on the spot, because the header that the match has to read is cut
// short or its table is full. kernel: xt_action_param.hotdrop
enum class MatchResult : std::uint8_t { No, Yes, HotDrop };

constexpr MatchResult yes_if(bool condition) {
    return condition ? MatchResult::Yes : MatchResult::No;
}

class MatchState {
  public:
    virtual ~MatchState() = default;
    [[nodiscard]] virtual std::unique_ptr<MatchState> clone() const = 0;
    // How many addresses or the like it knows.
    [[nodiscard]] virtual std::size_t remembered() const { return 0; }
};

// Bit of a hook in a mask of hooks.
constexpr std::uint8_t bit(Hook hook) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(hook));
}
inline constexpr std::uint8_t kAllHooks = 0x1f;

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
    [[nodiscard]] virtual MatchResult test(Subject& subject, MatchState* state) const;
    [[nodiscard]] virtual std::unique_ptr<MatchState> make_state() const { return nullptr; }
    // The name of the SharedState that it uses; empty: none.
    [[nodiscard]] virtual std::string shared_name() const { return {}; }
    // Makes that state if nobody has yet, and says what this match needs of it.
    virtual void join(std::unique_ptr<SharedState>& /*shared*/) const {}
    [[nodiscard]] virtual bool needs_tracking() const { return false; }
    // Reads the counters of connections. kernel: connbytes_mt_check forces nf_conntrack_acct on
    [[nodiscard]] virtual bool needs_accounting() const { return false; }
    // Where it may stand. kernel: xt_match.hooks, .table and its checkentry
    [[nodiscard]] virtual std::uint8_t hooks() const { return kAllHooks; }

  private:
    std::string_view module_;
};

}  // namespace nsr::rules
