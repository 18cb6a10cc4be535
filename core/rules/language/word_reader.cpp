#include "core/rules/language/word_reader.hpp"

#include <algorithm>

#include "core/rules/language/option_lookup.hpp"

namespace nsr::rules {

namespace {

bool begins_option(std::string_view word) {
    return word.starts_with('-') || word.starts_with('!');
}

}  // namespace

const Word& WordReader::next() {
    const Word& word = words_[at_++];
    column_ = word.column;
    inline_value.reset();
    return word;
}

void WordReader::skip_values() {
    while (!at_end() && !begins_option(words_[at_].text)) {
        ++at_;
    }
}

std::optional<GivenOption> WordReader::take(const OptionSpec& spec, bool old) {
    const bool old_negation = old && !inverted && negated_inside(spec);
    at_ += old_negation ? 1 : 0;
    GivenOption given{
        .name = meaning(spec), .inverted = inverted || old_negation, .column = column_};
    if (given.inverted && !spec.invertible) {
        error("\"!\" cannot stand before \"--" + std::string(spec.name) + "\"");
    }
    if (spec.values == 0 && inline_value) {
        error("option \"--" + std::string(spec.name) + "\" takes no value");
    }
    if (spec.values == kOptionalValue) {
        if (inline_value) {
            error("option \"--" + std::string(spec.name) +
                  "\" takes its value as a word of its own");
        } else if (!at_end() && !begins_option(words_[at_].text)) {
            given.value = words_[at_++].text;
            if (given.value.empty()) {
                error("option \"--" + std::string(spec.name) + "\" needs no value, or a number");
            }
        }
        return given;
    }
    for (unsigned i = 0; i < spec.values; ++i) {
        std::string& value = i == 0 ? given.value : given.second;
        if (i == 0 && inline_value) {
            value = *inline_value;
        } else if (i != 0 && spec.name == "set-counters" &&
                   given.value.find(',') != given.value.npos) {
            break;  // both are in one word
        } else if (at_ == words_.size() || (i != 0 && begins_option(words_[at_].text))) {
            error("option \"--" + std::string(spec.name) + "\" needs " +
                  (spec.values == 1 ? "a value" : "two values"));
            return std::nullopt;
        } else {
            value = words_[at_++].text;
        }
    }
    return given;
}

// "-d ! 10.0.0.0/8", as iptables took it once. differs: old-negation
bool WordReader::negated_inside(const OptionSpec& spec) const {
    if (!spec.invertible || spec.values == 0 || spec.values == kOptionalValue || inline_value ||
        at_ == words_.size() || words_[at_].text != "!" || at_ + spec.values >= words_.size()) {
        return false;
    }
    const auto first = words_.begin() + static_cast<std::ptrdiff_t>(at_) + 1;
    return std::none_of(first, first + spec.values,
                        [](const Word& value) { return begins_option(value.text); });
}

}  // namespace nsr::rules
