// The options of iptables(8): names, letters, arguments, and which command takes which.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nsr::router {

enum class OptionValue : std::uint8_t {
    None,
    Needed,
    Inline
};  // Inline: only as -xVALUE, --x=VALUE

struct IptablesOption {
    char letter;  // 0: only by its name
    std::string_view name;
    OptionValue value;
};
// In the order of --help. Names may share a letter.
std::span<const IptablesOption> iptables_options();

const IptablesOption* find_letter(char letter);
// By its name or the beginning of it that no other option shares; `ambiguous` if several do.
const IptablesOption* find_name(std::string_view name);

// Letter by which messages call an option or a command; '0' is --line-numbers.
inline constexpr std::string_view kOptionLetters = "nsdpjvxio0cf";
char command_letter(std::uint16_t command);
// The first of the options given (bits in the order of kOptionLetters) that none of the commands
// takes; 0: all are legal.
char illegal_option(std::uint16_t commands, std::uint16_t options);

}  // namespace nsr::router
