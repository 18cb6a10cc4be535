#include "core/rules/language/restore_command.hpp"

#include <algorithm>
#include <array>

#include "core/rules/language/option_lookup.hpp"
#include "core/rules/words/numbers.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kCommands = std::to_array<RestoreCommand>({
    {'A', "append", 1, kRuleFollows, "a chain"},
    {'C', "check", 1, kRuleFollows, "a chain"},
    {'D', "delete", 1, kRuleFollows, "a chain"},
    {'E', "rename-chain", 2, 2, "the name of a chain and a new one"},
    {'F', "flush", 0, 1, ""},
    {'I', "insert", 1, kRuleFollows, "a chain"},
    {'L', "list", 0, 2, ""},
    {'N', "new-chain", 1, 1, "a name"},
    {'P', "policy", 2, 2, "a chain and a policy"},
    {'R', "replace", 2, kRuleFollows, "a chain and the number of a rule"},
    {'S', "list-rules", 0, 2, ""},
    {'X', "delete-chain", 0, 1, ""},
    {'Z', "zero", 0, 2, ""},
});

// "-AFORWARD" is "-A" "FORWARD", and so is "--append=FORWARD".
void take_apart(std::vector<Word>& words) {
    const Word word = words[0];
    const bool is_long = word.text.starts_with("--");
    const std::size_t end = is_long ? word.text.find('=') : 2;
    if (end >= word.text.size() || word.text[0] != '-' || word.quoted) {
        return;
    }
    const std::size_t value = end + (is_long ? 1 : 0);
    words[0].text.resize(end);
    words.insert(words.begin() + 1, Word{word.text.substr(value),
                                         word.column + static_cast<std::uint32_t>(value), false});
}

bool is_number(const Word& word) {
    return !word.text.starts_with('-') && !word.text.starts_with('!') && !word.quoted &&
           parse_number(word.text, 0xffffffff).has_value();
}

}  // namespace

const RestoreCommand* find_restore_command(std::string_view word) {
    if (word.size() == 2 && word[0] == '-') {
        const auto* found =
            std::find_if(kCommands.begin(), kCommands.end(),
                         [&](const RestoreCommand& command) { return command.letter == word[1]; });
        return found == kCommands.end() ? nullptr : found;
    }
    const std::string_view name = word.starts_with("--") ? word.substr(2) : std::string_view();
    const RestoreCommand* only = nullptr;
    for (const RestoreCommand& command : kCommands) {
        if (command.name == name) {
            return &command;
        }
        if (!name.empty() && command.name.starts_with(name)) {
            if (only != nullptr) {
                return nullptr;
            }
            only = &command;
        }
    }
    return only != nullptr && find_option(built_in_options(), name) == nullptr ? only : nullptr;
}

void bring_command_to_front(std::vector<Word>& words) {
    take_apart(words);
    if (find_restore_command(words[0].text) != nullptr) {
        return;
    }
    for (std::size_t i = 1; i + 1 < words.size(); ++i) {
        const RestoreCommand* command =
            words[i].quoted ? nullptr : find_restore_command(words[i].text);
        if (command == nullptr || command->most != kRuleFollows) {
            continue;
        }
        const bool numbered =
            command->letter != 'A' && i + 2 < words.size() && is_number(words[i + 2]);
        const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
        std::rotate(words.begin(), first, first + (numbered ? 3 : 2));
        return;
    }
}

}  // namespace nsr::rules
