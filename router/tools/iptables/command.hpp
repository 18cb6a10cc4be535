// What iptables(8) and ip6tables(8) were asked to do, and what they answer.
//
// Theory of operation
//   Words become IptablesArgs (parse.cpp), which knows nothing of the rules there are. Arguments
//   and a Ruleset become another Ruleset and an answer (change.cpp), or an answer alone (show.cpp).
//   The texts and exit codes are those of version 1.8.9 (legacy): 0 done, 1 the rules refuse, 2 the
//   words are wrong, 3 no such table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/words.hpp"
#include "core/rules/counters.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/words/host_names.hpp"

namespace nsr::router {

// Bits: -L and -S go with -Z.
namespace iptables {
inline constexpr std::uint16_t kInsert = 1u << 0;
inline constexpr std::uint16_t kDelete = 1u << 1;
inline constexpr std::uint16_t kDeleteNumber = 1u << 2;
inline constexpr std::uint16_t kReplace = 1u << 3;
inline constexpr std::uint16_t kAppend = 1u << 4;
inline constexpr std::uint16_t kList = 1u << 5;
inline constexpr std::uint16_t kFlush = 1u << 6;
inline constexpr std::uint16_t kZero = 1u << 7;
inline constexpr std::uint16_t kZeroNumber = 1u << 8;
inline constexpr std::uint16_t kNewChain = 1u << 9;
inline constexpr std::uint16_t kDeleteChain = 1u << 10;
inline constexpr std::uint16_t kSetPolicy = 1u << 11;
inline constexpr std::uint16_t kRenameChain = 1u << 12;
inline constexpr std::uint16_t kListRules = 1u << 13;
inline constexpr std::uint16_t kCheck = 1u << 14;
// Those that change nothing.
inline constexpr std::uint16_t kShows = kList | kListRules | kCheck;
}  // namespace iptables

struct IptablesAnswer {
    std::string text;    // on standard output
    std::string errors;  // on standard error
    int code = 0;        // to exit with
    std::string cause;   // of "Run `dmesg' for more information", for the log; may be empty
};

struct IptablesArgs {
    Family family = Family::Ipv4;
    std::uint16_t commands = 0;
    std::string table = "filter";
    std::optional<std::string> chain;
    std::string name;          // behind -E the new one, behind -P the policy
    std::uint32_t number = 0;  // of a rule, from 1; 0: none given
    bool numeric = false;
    bool verbose = false;
    bool exact = false;
    bool line_numbers = false;
    std::optional<rules::RuleCounters> counters;
    std::vector<Word> rule;  // -p, -s, -m, ... and all that belongs to them
    std::string jump;        // behind -j or -g
    bool is_goto = false;
    bool in_given = false;   // -i
    bool out_given = false;  // -o
    std::string warnings;    // on standard error, whatever comes
    rules::HostNames names;  // that -s and -d may use

    [[nodiscard]] bool has(std::uint16_t command) const { return (commands & command) != 0; }
    [[nodiscard]] bool only_shows() const { return (commands & ~iptables::kShows) == 0; }
};

// An error has been worded as the answer.
Result<IptablesArgs, IptablesAnswer> parse_iptables_args(Family family,
                                                         const std::vector<std::string>& words,
                                                         const rules::HostNames& names = {});

// -L, -S and -C.
IptablesAnswer show_rules(const IptablesArgs& args, const rules::Counted& counted);
// All others, on `ruleset`; if it is refused, `ruleset` is as it was.
IptablesAnswer change_rules(const IptablesArgs& args, rules::Ruleset& ruleset);

// What -h prints.
std::string iptables_help(Family family);
// "iptables" or "ip6tables".
std::string_view iptables_name(Family family);
// "iptables v1.8.9 (legacy)"
std::string iptables_version(Family family);
// How the tool says that a word is wrong (2), a table is not there (3), the rules refuse (1).
IptablesAnswer wrong_words(Family family, std::string_view message);
IptablesAnswer no_table(Family family, std::string_view table);
IptablesAnswer rules_refuse(Family family, std::string_view message);

}  // namespace nsr::router
