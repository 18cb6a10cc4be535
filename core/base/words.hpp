// Words of text that people write: splitting, quoting, and guessing what was meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nsr {

// At every `separator`; the parts may be empty.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");
std::string lower(std::string_view text);
// Every `one` becomes an `other`, and every `other` a `one`.
std::string exchanged(std::string_view text, char one, char other);
std::string in_quotes(std::string_view text);  // "text", for messages
// Appends `word` behind a blank, or without one to an empty text.
void append(std::string& text, std::string_view word);

struct Word {
    std::string text;
    std::uint32_t column = 0;  // 1-based; 0: unknown
    bool quoted = false;
};
// How quotes are read: as iptables-restore does ("..." keeps blanks, \ in it takes the next
// character as it is, and the word ends where the quote does), or as a shell does ('...' too,
// \ outside of quotes, and what touches is one word).
enum class Quoting : std::uint8_t { Restore, Shell };
// A line at its blanks. Nothing if a quote is not closed.
std::optional<std::vector<Word>> split_words(std::string_view line, Quoting quoting);

// The name nearest to `word`, if any is near enough to be what was meant; else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& names);
// `; did you mean "X"?`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace nsr
