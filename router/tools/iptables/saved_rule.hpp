// A rule in the parts in which iptables-save writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/words.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::router {

// "! --option value value" of a match or target.
struct SavedOption {
    std::string name;  // without dashes
    std::vector<std::string> values;
    bool inverted = false;
};

struct SavedPart {
    std::string name;  // of the match or target
    std::vector<Word> words;

    // Options begin with "--"; the words behind one are its values.
    [[nodiscard]] std::vector<SavedOption> options() const;
};

struct SavedField {
    std::string value;
    bool inverted = false;
};

struct SavedRule {
    std::optional<SavedField> source, destination, in, out, protocol, fragments;
    std::vector<SavedPart> matches;  // with -m
    SavedPart target;                // the name is empty if there is none
    bool is_goto = false;
    bool jumps = false;  // the target is a user chain

    // The number of -p, 0 without it or if it is negated.
    [[nodiscard]] std::uint8_t protocol_number() const;
};

SavedRule saved_rule(const rules::Rule& rule);
// The same of a line of iptables-save, behind "-A CHAIN". Nothing if a quote is not closed.
std::optional<SavedRule> parse_saved_rule(std::string_view text);

}  // namespace nsr::router
