// Ruleset: tables, chains and rules as values, whatever text they came from.
//
// Theory of operation
//   iptables-save text (parse_save) and native TOML rules (parse_rule, one at a time: their keys
//   are iptables' long options) both end here. A Ruleset is checked (every name resolved, every
//   match legal in its table and chain), then compiled (program.hpp) and swapped in. Counters live
//   beside the rules and survive a reload for rules that stay the same only as iptables-restore
//   would: given in the file, else zero. Order of tables and of chains is the file's; every rule
//   knows its file and line.
// kernel: struct ipt_replace; iptables-save(8)
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/packet/hook.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

enum class TableId : std::uint8_t { Raw, Mangle, Nat, Filter, Security };
inline constexpr std::size_t kTableCount = 5;
std::string_view name_of(TableId table);
std::optional<TableId> parse_table(std::string_view name);
// Is there a built-in chain of `table` at `hook`?
bool has_chain(TableId table, Hook hook);

struct RuleCounters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

class Match;   // one compiled-in kind of match with its parameters; see match.hpp
class Target;  // ditto, target.hpp

struct Rule {
    RuleId id = RuleId::None;  // unique in the ruleset, given when it is added
    std::vector<std::shared_ptr<const Match>>
        matches;  // -s, -d, -i, -o, -p, -f first, then -m in order of appearance
    std::shared_ptr<const Target> target;  // null: count only
    RuleCounters counters;
    SourceLocation where;
};

enum class Policy : std::uint8_t { None, Accept, Drop };  // None: a user chain

struct Chain {
    std::string name;
    Policy policy = Policy::None;
    RuleCounters counters;  // of the policy
    std::vector<Rule> rules;
};

struct Table {
    bool loaded = false;
    // Built-in ones first in hook order, then user chains in the file's order. Grows by add() only.
    std::vector<Chain> chains;

    // Precondition: no chain has this name.
    Chain& add(std::string name, Policy policy);
    [[nodiscard]] Chain* find(std::string_view chain);
    [[nodiscard]] const Chain* find(std::string_view chain) const;

  private:
    std::map<std::string, std::size_t, std::less<>> places_;  // in `chains`
};

struct Ruleset {
    std::array<std::array<Table, kTableCount>, 2> tables;  // [0] IPv4, [1] IPv6
    [[nodiscard]] Table& table(Family family, TableId id) {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    [[nodiscard]] const Table& table(Family family, TableId id) const {
        return tables[index_of(family)][static_cast<std::size_t>(id)];
    }
    RuleId next_id = RuleId{1};

    // Makes `table` loaded with its built-in chains, all ACCEPT, if it is not yet.
    Table& load(Family family, TableId id);
};

// What is wrong with the name of a user chain, in a sentence; empty: nothing.
std::string chain_name_problem(std::string_view name);

// iptables-save / ip6tables-save text. Tables named in it replace those of `into`; others stay. On
// errors `into` is unchanged. `file` is used for locations only.
ConfigErrors parse_save(std::string_view text, std::string_view file, Family family, Ruleset& into);

// The first half of it, for texts that are judged together with others: what can be read goes into
// `into` even if there are errors, and check() is the caller's.
ConfigErrors read_save(std::string_view text, std::string_view file, Family family, Ruleset& into);

// One rule given as words ("-p", "tcp", "--dport", "80", "-j", "ACCEPT"), for native TOML rules.
// Errors carry `where`.
Result<Rule, ConfigErrors> parse_rule(const std::vector<std::string>& words, Family family,
                                      TableId table, std::string_view chain, const Ruleset& context,
                                      const SourceLocation& where);

// The same when -s or -d may be a list, which stands for several rules.
Result<std::vector<Rule>, ConfigErrors> parse_rules(const std::vector<std::string>& words,
                                                    Family family, TableId table,
                                                    std::string_view chain, const Ruleset& context,
                                                    const SourceLocation& where);

// Appends a parsed rule to `chain` of `ruleset` and gives it its id.
const Rule* add_rule(Ruleset& ruleset, Chain& chain, Rule rule);

// What only a complete ruleset shows: loops, unknown chains, and matches or targets that are
// illegal at a hook from which their chain can be reached. parse_save does this itself; call it
// after adding native rules.
ConfigErrors check(const Ruleset& ruleset, Family family);

// Whether the words make sense in this family at all: what its matches allow (a native rule without
// `family` goes to each family it is allowed in).
struct FamilySupport {
    bool ipv4 = false;
    bool ipv6 = false;
};
FamilySupport families_of(const std::vector<std::string>& words);

// The module options of native TOML keys: which match or target modules know the long option `name`
// ("dport" -> tcp, udp, sctp...). The first module that fits is loaded for protocol options; more
// than one candidate otherwise is ambiguous.
struct OptionOwner {
    std::string module;  // "tcp", "mark", "SNAT"; empty: a built-in option (source, in-interface,
                         // jump, ...)
    bool is_target = false;
    bool takes_value = true;
};
std::vector<OptionOwner> owners_of_option(std::string_view name);

// iptables-save -c text of all loaded tables of a family (counters always; `with_counters` false
// leaves them out).
std::string save(const Ruleset& ruleset, Family family, bool with_counters);

// Its lines of one table, without the frame: chains, then rules.
std::vector<std::string> save_lines(const Table& table, bool with_counters);

// One rule as iptables-save writes it, behind "-A "; without `chain`, what follows that.
std::string rule_text(std::string_view chain, const Rule& rule);

std::string_view name_of(Policy policy);  // "ACCEPT", "DROP", "-"

// The first rule that needs connection tracking, as "file:line: rule text"; a loaded nat table
// counts as one. Empty: none.
std::string needs_tracking(const Ruleset& ruleset, Family family);

// Some rule that `before` does not have reads the counters of connections (connbytes):
// nf_conntrack_acct must become 1. kernel: connbytes_mt_check
bool begins_accounting(const Ruleset& ruleset, const Ruleset& before);

}  // namespace nsr::rules
