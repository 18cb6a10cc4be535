// Extensions that stand in rules although they are not supported, because the configuration says
// that they may: a match never matches, a target does nothing. Each is saved with the words that
// stood behind its name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/words.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

// The option behind which `at` stands, with all words up to the next one; they are taken.
std::string tolerated_option(const std::vector<Word>& words, std::size_t& at);
std::shared_ptr<const Match> tolerated_match(std::string name, std::string words);
std::shared_ptr<const Target> tolerated_target(const std::string& name, std::string words);

// A warning for each of them, with the place of its rule.
ConfigErrors tolerated_rules(const Ruleset& ruleset);

}  // namespace nsr::rules
