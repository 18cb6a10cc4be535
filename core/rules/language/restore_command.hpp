// Commands in a restored text: how they are written, and what may stand behind them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/words.hpp"

namespace nsr::rules {

// In the place of a number of words.
inline constexpr std::size_t kRuleFollows = static_cast<std::size_t>(-2);

struct RestoreCommand {
    char letter;
    std::string_view name;
    std::size_t least;  // words that have to stand behind it
    std::size_t most;
    std::string_view needs;
};

// "-A", "--append", or the beginning of that as far as it is of no other option. Null: none.
const RestoreCommand* find_restore_command(std::string_view word);

// A command may stand behind parts of its rule: it becomes the first word, and its chain and the
// number behind that follow. "-AFORWARD" and "--append=FORWARD" become two words.
// Precondition: there is a word.
void bring_command_to_front(std::vector<Word>& words);

}  // namespace nsr::rules
