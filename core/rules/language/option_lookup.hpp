// Finding options by name: in one table, or in all modules (for messages, and for native rules that
// name options without their module).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/options.hpp"

namespace nsr::rules {

const OptionSpec* find_exact(std::span<const OptionSpec> specs, std::string_view name);
// The one option that `name` begins; aliases of one option count as one.
const OptionSpec* find_prefix(std::span<const OptionSpec> specs, std::string_view name);
const OptionSpec* find_option(std::span<const OptionSpec> specs, std::string_view name);
// What the option is called, whatever its spelling.
std::string_view meaning(const OptionSpec& spec);

// As getopt_long finds it in tables, the first of which counts: by its whole name, or by the
// beginning of it if no other option (or command of iptables, such as --list) begins so.
struct FoundOption {
    const OptionSpec* spec = nullptr;
    std::size_t table = 0;
    bool several = false;  // it could be several; then there is no spec
};
FoundOption look_up(std::span<const std::span<const OptionSpec>> tables, std::string_view name);
void collect_names(std::span<const OptionSpec> specs, std::vector<std::string_view>& names);

// The options every rule may have without a module.
std::span<const OptionSpec> built_in_options();
std::span<const OptionSpec> built_in_options(Family family);
// "protocol" for 'p'; empty if there is no such short option.
std::string_view built_in_name(char letter);

// `"-m conntrack"`, `"-p tcp" or "-p udp"`: what must be in a rule that uses this option. Empty:
// nobody has it.
std::string owners_text(std::string_view option);
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
// What is wrong with an option that none of `tables` has: who has it, or what was meant.
std::string unknown_option_text(std::string_view option,
                                const std::vector<std::span<const OptionSpec>>& tables);
std::vector<std::string_view> match_names();
std::string_view nearest_option_anywhere(std::string_view option);
// "nat", "raw or mangle"
std::string tables_text(std::uint8_t tables);

}  // namespace nsr::rules
