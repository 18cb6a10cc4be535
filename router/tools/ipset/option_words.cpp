#include "router/tools/ipset/option_words.hpp"

#include "core/rules/words/text.hpp"

namespace nsr::router {

std::string_view OptionWords::name() {
    word_ = words_[at_++];
    name_ = word_.starts_with("--") ? word_.substr(2) : word_;
    return name_;
}

std::string OptionWords::value() {
    if (at_ == words_.size()) {
        fail("Missing mandatory argument of option `" + std::string(name_) + "'", 2);
        return {};
    }
    return words_[at_++];
}

std::uint64_t OptionWords::number(std::uint64_t low, std::uint64_t high) {
    const std::string text = value();
    if (failed()) {
        return 0;
    }
    const bool negative = text.size() > 1 && text[0] == '-';
    const auto value = rules::parse_number(negative ? text.substr(1) : text);
    const bool digits = text.find_first_not_of("-0123456789") == std::string::npos;
    if (!value && (!digits || text.empty())) {
        fail("Syntax error: '" + text + "' is invalid as number");
    } else if (!value || negative || *value < low || *value > high) {
        fail("Syntax error: '" + text + "' is out of range " + std::to_string(low) + "-" +
             std::to_string(high));
    }
    return failed() ? 0 : *value;
}

void OptionWords::unknown() {
    fail("Unknown argument: `" + std::string(word_) + "'", 2);
}

void OptionWords::fail(std::string text, int exit_code) {
    if (!failed()) {
        problem_ = {std::move(text), exit_code};
    }
}

void OptionWords::once(bool given) {
    if (given) {
        fail("Syntax error: " + std::string(name_) + " already specified");
    }
}

}  // namespace nsr::router
