#include "router/config/toml_check.hpp"

#include <utility>

namespace nsr::router {
namespace {

class Scan {
  public:
    Scan(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    std::optional<ConfigError> run();

  private:
    [[nodiscard]] bool at(std::string_view what) const {
        return text_.substr(position_).starts_with(what);
    }
    [[nodiscard]] bool done() const { return position_ >= text_.size(); }
    void advance(std::size_t count = 1);
    void step();
    void line_break();
    void comment();
    void table_header();
    void string();
    void quoted(std::string_view delimiter, bool escapes);
    void word();
    void punctuation(char c);
    void count_dots(std::string_view key);
    bool beyond_ascii();
    void fail(std::string message);

    std::string_view text_;
    const std::string& file_;
    std::size_t position_ = 0;
    std::uint32_t line_ = 1;
    std::uint32_t column_ = 1;
    bool line_start_ = true;
    bool value_ = false;    // what stands here is a value, not a part of a key
    std::string open_;      // brackets of values
    std::size_t dots_ = 0;  // in the key at hand
    std::optional<ConfigError> error_;
};

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool is_word_character(char c) {
    return is_key_character(c) || c == '.' || c == '+' || c == ':';
}

// One or more of `digits`, single underscores between them; taken off the front of `text`.
bool take_digits(std::string_view& text, std::string_view digits) {
    std::size_t n = 0;
    while (n < text.size() && (digits.find(text[n]) != std::string_view::npos ||
                               (text[n] == '_' && n > 0 && text[n - 1] != '_'))) {
        ++n;
    }
    const bool good = n > 0 && text[n - 1] != '_';
    text.remove_prefix(n);
    return good;
}

bool take(std::string_view& text, std::string_view what) {
    const bool there = text.starts_with(what);
    text.remove_prefix(there ? what.size() : 0);
    return there;
}

// A boolean or a number; dates have no place in a configuration.
bool is_bare_value(std::string_view text) {
    constexpr std::string_view kDecimal = "0123456789";
    if (text == "true" || text == "false") {
        return true;
    }
    for (const auto& [prefix, digits] : {std::pair("0x", "0123456789abcdefABCDEF"),
                                         std::pair("0o", "01234567"), std::pair("0b", "01")}) {
        if (take(text, prefix)) {
            return take_digits(text, digits) && text.empty();
        }
    }
    if (!take(text, "+")) {
        take(text, "-");
    }
    if (text == "inf" || text == "nan") {
        return true;
    }
    if (!take_digits(text, kDecimal) || (take(text, ".") && !take_digits(text, kDecimal))) {
        return false;
    }
    if (take(text, "e") || take(text, "E")) {
        if (!take(text, "+")) {
            take(text, "-");
        }
        return take_digits(text, kDecimal) && text.empty();
    }
    return text.empty();
}

// The library looks for the end of a bare value through whatever stands behind it.
bool ends_a_value(std::string_view behind) {
    constexpr std::string_view kEnds = " \t\r\n,]}#";
    return behind.empty() || kEnds.find(behind[0]) != std::string_view::npos;
}

}  // namespace

std::optional<ConfigError> check_toml_text(std::string_view text, const std::string& file) {
    return Scan(text, file).run();
}

namespace {

std::optional<ConfigError> Scan::run() {
    if (at("\xef\xbb\xbf")) {
        position_ = 3;  // a byte order mark
    }
    while (!done() && !error_) {
        step();
    }
    return error_;
}

void Scan::step() {
    const char c = text_[position_];
    if (c == '\n') {
        line_break();
    } else if (c == ' ' || c == '\t' || c == '\r') {
        advance();
    } else if (c == '#') {
        comment();
    } else if (c == '[' && line_start_ && open_.empty()) {
        table_header();
    } else if (!beyond_ascii()) {
        line_start_ = false;
        if (c == '"' || c == '\'') {
            string();
        } else if (is_word_character(c)) {
            word();
        } else {
            punctuation(c);
        }
    }
}

void Scan::advance(std::size_t count) {
    for (; count > 0 && !done(); --count, ++position_) {
        const auto byte = static_cast<unsigned char>(text_[position_]);
        if (byte == '\n') {
            ++line_;
            column_ = 1;
        } else if ((byte & 0xc0) != 0x80) {  // not the continuation of a UTF-8 character
            ++column_;
        }
    }
}

void Scan::line_break() {
    line_start_ = true;
    if (open_.empty()) {
        value_ = false;
        dots_ = 0;
    }
    advance();
}

void Scan::comment() {
    while (!done() && !at("\n")) {
        advance();
    }
}

void Scan::table_header() {
    line_start_ = false;
    advance(at("[[") ? 2 : 1);
    while (at(" ") || at("\t")) {
        advance();
    }
    if (done() || !(is_key_character(text_[position_]) || at("\"") || at("'") || at("]"))) {
        fail("TOML: a table header needs a name: [name] or [[name]]");
        return;
    }
    while (!done() && !at("]") && !at("\n") && !error_) {
        if (at("\"") || at("'")) {
            string();
        } else if (!beyond_ascii()) {
            count_dots(text_.substr(position_, 1));
            advance();
        }
    }
    while (at("]")) {
        advance();
    }
    value_ = true;  // nothing but a comment may follow
}

void Scan::string() {
    for (const std::string_view delimiter : {"\"\"\"", "'''", "\"", "'"}) {
        if (at(delimiter)) {
            quoted(delimiter, delimiter[0] == '"');
            return;
        }
    }
}

// An unterminated string ends with the text, a single-line one with its line: the library says so.
void Scan::quoted(std::string_view delimiter, bool escapes) {
    advance(delimiter.size());
    while (!done() && !at(delimiter)) {
        if (delimiter.size() == 1 && at("\n")) {
            return;
        }
        if (escapes && at("\\")) {
            advance(2);
            while (delimiter.size() == 3 && (at(" ") || at("\t") || at("\r") || at("\n"))) {
                advance();
            }
            if (beyond_ascii()) {
                return;
            }
        } else {
            advance();
        }
    }
    advance(delimiter.size());
    while (delimiter.size() == 3 && at(delimiter.substr(0, 1))) {
        advance();  // up to two quotes may precede the closing three
    }
}

void Scan::word() {
    std::size_t end = position_;
    while (end < text_.size() && is_word_character(text_[end])) {
        ++end;
    }
    const std::string_view word = text_.substr(position_, end - position_);
    if (value_ && !(is_bare_value(word) && ends_a_value(text_.substr(end)))) {
        fail("TOML: \"" + std::string(word.substr(0, 40)) +
             "\" is no value; a string needs quotes");
    } else if (!value_ && word.find_first_of("+:") != std::string_view::npos) {
        fail("TOML: \"" + std::string(word.substr(0, 40)) + "\" is no key; quote it");
    } else if (!value_) {
        count_dots(word);
    }
    advance(word.size());
}

// Keys stand in front of `=`, at the start of a line and in inline tables; elsewhere, values.
void Scan::punctuation(char c) {
    if (c == '=') {
        value_ = true;
    } else if (c == '[' || c == '{') {
        open_ += c;
        value_ = c == '[';
    } else if (c == ']' || c == '}') {
        if (!open_.ends_with(c == ']' ? '[' : '{')) {
            fail("TOML: this bracket closes nothing");
            return;
        }
        open_.pop_back();
        value_ = true;
    } else if (c == ',') {
        value_ = open_.ends_with('[');
    }
    dots_ = 0;
    if (open_.size() > kMaxTomlDepth) {
        fail("TOML: nested deeper than " + std::to_string(kMaxTomlDepth) + " levels");
    }
    advance();
}

void Scan::count_dots(std::string_view key) {
    for (const char c : key) {
        dots_ += c == '.' ? 1 : 0;
    }
    if (dots_ > kMaxTomlDepth) {
        fail("TOML: nested deeper than " + std::to_string(kMaxTomlDepth) + " levels");
    }
}

// The library does not survive such characters outside of strings, nor behind a backslash in them.
bool Scan::beyond_ascii() {
    const bool beyond = !done() && static_cast<unsigned char>(text_[position_]) >= 0x80;
    if (beyond) {
        fail(
            "TOML: a character that is not ASCII can only stand in quotes or in a comment, and not "
            "right behind a backslash");
    }
    return beyond;
}

void Scan::fail(std::string message) {
    error_ = ConfigError{{file_, line_, column_}, std::move(message)};
}

}  // namespace
}  // namespace nsr::router
