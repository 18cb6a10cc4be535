// Loaded: a module that a rule has named, with the options it was given so far.
#pragma once

#include <span>
#include <string>

#include "core/rules/module.hpp"

namespace nsr::rules {

struct Loaded {
    const MatchModule* match = nullptr;
    const TargetModule* target = nullptr;
    Options options = {};
    std::uint32_t column = 0;
    // Of an extension that is tolerated: its name, and the words that stand behind it.
    std::string tolerated = {};
    std::string words = {};
    [[nodiscard]] std::span<const OptionSpec> specs(Family family) const {
        if (!tolerated.empty()) {
            return {};
        }
        return match != nullptr ? match->options_in(family) : target->options;
    }
};

}  // namespace nsr::rules
