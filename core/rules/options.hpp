// Options: what the modules of the rule language say about their options, and what they are given.
//
// Parsing words, abbreviations, negation and repetition is done once, in language/rule_parser.cpp,
// from these tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/rules/table_id.hpp"
#include "core/rules/words/host_names.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

// In the place of a number of words: one may follow that begins no option.
inline constexpr std::uint8_t kOptionalValue = 0xff;

struct OptionSpec {
    std::string_view name;        // without dashes
    std::uint8_t values = 1;      // words that follow
    bool invertible = false;      // "!" may stand before it
    std::string_view alias = {};  // the option this is another spelling of
    bool repeatable = false;
};

struct GivenOption {
    std::string_view name = {};  // never an alias
    std::string value = {};
    std::string second = {};  // of --tcp-flags and --chunk-types
    bool inverted = false;
    std::uint32_t column = 0;
};

// What a module may know about the rule it is in, and where it complains.
struct RuleContext {
    Family family;
    TableId table;
    std::string_view chain;
    std::uint8_t protocol = 0;  // of -p; 0: any
    bool protocol_inverted = false;
    SourceLocation where;
    ConfigErrors& errors;
    const HostNames& names;
    std::uint32_t column = 0;  // of the module at work, for what concerns no single option
    bool tcp_syn = false;      // the rule has a tcp match that only SYNs pass

    [[nodiscard]] bool v6() const { return family == Family::Ipv6; }
    // The rule has -p `wanted`, not negated.
    [[nodiscard]] bool only(std::uint8_t wanted) const {
        return protocol == wanted && !protocol_inverted;
    }
    void error(std::string message) const;
    void error(const GivenOption& at, std::string message) const;
    // The same where iptables would take the words and the kernel refuse them.
    void refuse(std::string message) const;
    void refuse(const GivenOption& at, std::string message) const;
};

// The options given to one module in one rule.
class Options {
  public:
    std::string_view module;
    std::vector<GivenOption> given;

    [[nodiscard]] const GivenOption* find(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
};

// The number given to an option, complaining unless it is in the range. Nothing if the option is
// absent or wrong.
std::optional<std::uint64_t> read_number(const Options& options, const RuleContext& context,
                                         std::string_view name, std::uint64_t low,
                                         std::uint64_t high);

// "! " or nothing: what stands before a negated option.
constexpr std::string_view bang(bool inverted) {
    return inverted ? "! " : "";
}

}  // namespace nsr::rules
