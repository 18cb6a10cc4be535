// Options that a rule keeps only to write them back: each value is read as iptables reads it and
// put into the form in which iptables-save writes it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/rules/options.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

// The form of a value; nothing: it is none of this kind.
using Form = std::optional<std::string> (*)(std::string_view value, Family family);

struct OptionForm {
    std::string_view name;
    Form form = nullptr;             // null: a flag
    std::string_view expected = {};  // "a number from 0 to 2"
};

// Those of `forms` that were given, in the order of `forms`. Nothing after an error.
std::optional<std::string> recite(const Options& options, const RuleContext& context,
                                  std::span<const OptionForm> forms);
// One of `names` was given, or that is reported.
bool has_one_of(const Options& options, const RuleContext& context,
                std::initializer_list<std::string_view> names);
// Every option was given with "!".
bool all_inverted(const Options& options);

namespace form {

template <std::uint64_t kLow, std::uint64_t kHigh>
std::optional<std::string> decimal(std::string_view value, Family) {
    const auto number = parse_number(value, kHigh);
    return number && *number >= kLow ? std::optional(std::to_string(*number)) : std::nullopt;
}
std::string plain_or_quoted(std::string_view value);
// Cut off as iptables does; in quotes where a blank needs them.
template <std::size_t kMost>
std::optional<std::string> text(std::string_view value, Family) {
    return plain_or_quoted(value.substr(0, kMost));
}
// The same, in quotes unless it is a plain word. libxtables: xtables_save_string
template <std::size_t kMost>
std::optional<std::string> saved_string(std::string_view value, Family) {
    return quoted(value.substr(0, kMost));
}
std::optional<std::string> in_double_quotes(std::string_view value, Family family);
// An address, with its mask unless that is a host's; host bits stay.
std::optional<std::string> address(std::string_view value, Family family);

}  // namespace form

}  // namespace nsr::rules
