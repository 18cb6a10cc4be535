// The words of one rule, read from the first to the last: an option takes as many as it needs, and
// what stands before it ("!") or in its word ("--option=value") is remembered until then.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/words.hpp"
#include "core/rules/language/tolerated.hpp"
#include "core/rules/options.hpp"

namespace nsr::rules {

class WordReader {
  public:
    WordReader(const std::vector<Word>& words, RuleContext& context)
        : words_(words), context_(context) {}

    [[nodiscard]] const std::vector<Word>& all() const { return words_; }
    [[nodiscard]] bool at_end() const { return at_ == words_.size(); }
    [[nodiscard]] std::uint32_t column() const { return column_; }  // of the last word
    // Precondition: !at_end().
    const Word& next();
    void skip_to_end() { at_ = words_.size(); }
    void skip_values();  // to the next option or "!"

    // The option of the last word with its values and its negation; reported if something is wrong,
    // nothing if it lacks a value. `old`: the negation may stand behind it.
    std::optional<GivenOption> take(const OptionSpec& spec, bool old);
    // The last word with all up to the next option, for an extension that is tolerated.
    std::string take_tolerated() { return tolerated_option(words_, at_); }
    // At the last word.
    void error(std::string message) { context_.error({.column = column_}, std::move(message)); }

    bool inverted = false;                         // "!" was read
    std::optional<std::string_view> inline_value;  // of --option=value, -oVALUE

  private:
    [[nodiscard]] bool negated_inside(const OptionSpec& spec) const;

    const std::vector<Word>& words_;
    RuleContext& context_;
    std::size_t at_ = 0;
    std::uint32_t column_ = 0;
};

}  // namespace nsr::rules
