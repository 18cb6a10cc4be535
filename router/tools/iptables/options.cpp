#include "router/tools/iptables/options.hpp"

#include <algorithm>
#include <array>

#include "router/tools/iptables/command.hpp"

namespace nsr::router {
namespace {

constexpr auto None = OptionValue::None;
constexpr auto Needed = OptionValue::Needed;
constexpr auto Inline = OptionValue::Inline;

constexpr std::array kOptions = std::to_array<IptablesOption>({
    {'A', "append", Needed},       {'C', "check", Needed},
    {'D', "delete", Needed},       {'I', "insert", Needed},
    {'R', "replace", Needed},      {'L', "list", Inline},
    {'S', "list-rules", Inline},   {'F', "flush", Inline},
    {'Z', "zero", Inline},         {'N', "new-chain", Needed},
    {'X', "delete-chain", Inline}, {'P', "policy", Needed},
    {'E', "rename-chain", Needed}, {'4', "ipv4", None},
    {'6', "ipv6", None},           {'p', "protocol", Needed},
    {'s', "source", Needed},       {'s', "src", Needed},
    {'d', "destination", Needed},  {'d', "dst", Needed},
    {'i', "in-interface", Needed}, {'j', "jump", Needed},
    {'g', "goto", Needed},         {'m', "match", Needed},
    {'n', "numeric", None},        {'o', "out-interface", Needed},
    {'t', "table", Needed},        {'v', "verbose", None},
    {'w', "wait", Inline},         {'W', "wait-interval", Needed},
    {'0', "line-numbers", None},   {'x', "exact", None},
    {'f', "fragments", None},      {'M', "modprobe", Needed},
    {'c', "set-counters", Needed}, {'V', "version", None},
    {'h', "help", Inline},
});

struct CommandRow {
    std::uint16_t command;
    char letter;
    std::string_view options;  // 'x' where the command does not take the one of kOptionLetters
};

constexpr std::array kCommands = std::to_array<CommandRow>({
    {iptables::kInsert, 'I', "x     x  x  "},
    {iptables::kDelete, 'D', "x     x  xx "},
    {iptables::kDeleteNumber, 'D', "xxxxx xxxxxx"},
    {iptables::kReplace, 'R', "x     x  x  "},
    {iptables::kAppend, 'A', "x     x  x  "},
    {iptables::kList, 'L', " xxxx  xx xx"},
    {iptables::kFlush, 'F', "xxxxx xxxxxx"},
    {iptables::kZero, 'Z', "xxxxx xxxxxx"},
    {iptables::kZeroNumber, 'Z', "xxxxx xxxxxx"},
    {iptables::kNewChain, 'N', "xxxxx xxxxxx"},
    {iptables::kDeleteChain, 'X', "xxxxx xxxxxx"},
    {iptables::kSetPolicy, 'P', "xxxxx xxxx x"},
    {iptables::kRenameChain, 'E', "xxxxx xxxxxx"},
    {iptables::kListRules, 'S', "xxxxx xxxxxx"},
    {iptables::kCheck, 'C', "x     x  xx "},
});

}  // namespace

std::span<const IptablesOption> iptables_options() {
    return kOptions;
}

const IptablesOption* find_letter(char letter) {
    const auto* found = std::find_if(
        kOptions.begin(), kOptions.end(),
        [&](const IptablesOption& option) { return option.letter == letter && letter != '0'; });
    return found == kOptions.end() ? nullptr : found;
}

const IptablesOption* find_name(std::string_view name) {
    const IptablesOption* found = nullptr;
    for (const IptablesOption& option : kOptions) {
        if (option.name == name) {
            return &option;
        }
    }
    for (const IptablesOption& option : kOptions) {
        if (!option.name.starts_with(name)) {
            continue;
        }
        if (found != nullptr && found->letter != option.letter) {
            return nullptr;
        }
        found = &option;
    }
    return found;
}

char command_letter(std::uint16_t command) {
    for (const CommandRow& row : kCommands) {
        if ((row.command & command) != 0) {
            return row.letter;
        }
    }
    return ' ';
}

char illegal_option(std::uint16_t commands, std::uint16_t options) {
    for (std::size_t i = 0; i < kOptionLetters.size(); ++i) {
        const auto takes = [&](const CommandRow& row) {
            return (row.command & commands) != 0 && row.options[i] != 'x';
        };
        if ((options >> i & 1) != 0 && std::none_of(kCommands.begin(), kCommands.end(), takes)) {
            return kOptionLetters[i];
        }
    }
    return 0;
}

}  // namespace nsr::router
