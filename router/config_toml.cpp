#include "router/config_toml.hpp"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace nsr::router {
namespace {

// Walks the text once, before the library does, and finds what the library must not see.
class PreCheck {
  public:
    PreCheck(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    std::optional<ConfigError> run();

  private:
    [[nodiscard]] bool at(std::string_view what) const {
        return text_.substr(position_).starts_with(what);
    }
    [[nodiscard]] bool done() const { return position_ >= text_.size(); }
    void advance(std::size_t count = 1);
    void skip_blanks();
    void skip_comment();
    void skip_string();
    void skip_quoted(std::string_view delimiter, bool escapes);
    void table_header();
    void bracket(char c);
    void fail(std::string message);

    std::string_view text_;
    const std::string& file_;
    std::size_t position_ = 0;
    std::uint32_t line_ = 1;
    std::uint32_t column_ = 1;
    bool line_start_ = true;
    unsigned depth_ = 0;
    unsigned dots_ = 0;  // in the key at hand
    std::optional<ConfigError> error_;
};

SourceLocation place(const toml::source_position& position, const std::string& file) {
    return {file, static_cast<std::uint32_t>(position.line),
            static_cast<std::uint32_t>(position.column)};
}

TomlValue convert(const toml::node& node, const std::string& file);

TomlValue convert_table(const toml::table& table, const std::string& file) {
    TomlValue value;
    for (const auto& [key, child] : table) {
        value.members.push_back(
            {std::string(key.str()), place(key.source().begin, file), convert(child, file)});
    }
    std::stable_sort(value.members.begin(), value.members.end(),
                     [](const TomlMember& a, const TomlMember& b) {
                         return std::pair(a.where.line, a.where.column) <
                                std::pair(b.where.line, b.where.column);
                     });
    return value;
}

TomlValue convert(const toml::node& node, const std::string& file) {
    TomlValue value;
    if (const toml::table* table = node.as_table()) {
        value = convert_table(*table, file);
    } else if (const toml::array* array = node.as_array()) {
        value.kind = TomlKind::Array;
        for (const toml::node& item : *array) {
            value.items.push_back(convert(item, file));
        }
    } else if (const auto* text = node.as_string()) {
        value.kind = TomlKind::String;
        value.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        value.kind = TomlKind::Integer;
        value.integer = integer->get();
        value.number = static_cast<double>(value.integer);
    } else if (const auto* number = node.as_floating_point()) {
        value.kind = TomlKind::Float;
        value.number = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
        value.kind = TomlKind::Boolean;
        value.boolean = boolean->get();
    } else {
        value.kind = TomlKind::Date;
    }
    value.where = place(node.source().begin, file);
    return value;
}

bool is_bare_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

}  // namespace

std::string_view describe(TomlKind kind) {
    switch (kind) {
        case TomlKind::String:
            return "a string";
        case TomlKind::Integer:
            return "an integer";
        case TomlKind::Float:
            return "a number";
        case TomlKind::Boolean:
            return "a boolean";
        case TomlKind::Array:
            return "an array";
        case TomlKind::Table:
            return "a table";
        case TomlKind::Date:
            break;
    }
    return "a date or time";
}

const TomlMember* TomlValue::find(std::string_view key) const {
    for (const TomlMember& member : members) {
        if (member.key == key) {
            return &member;
        }
    }
    return nullptr;
}

Result<TomlValue, ConfigErrors> parse_toml(std::string_view text, const std::string& file) {
    if (text.size() > kMaxConfigBytes) {
        return ConfigErrors{{{file, 0, 0}, "larger than the limit of 1 MiB"}};
    }
    if (std::optional<ConfigError> error = PreCheck(text, file).run()) {
        return ConfigErrors{std::move(*error)};
    }
    try {
        return convert_table(toml::parse(text), file);
    } catch (const toml::parse_error& error) {
        return ConfigErrors{
            {place(error.source().begin, file), "TOML: " + std::string(error.description())}};
    }
}

namespace {

std::optional<ConfigError> PreCheck::run() {
    while (!done() && !error_) {
        const char c = text_[position_];
        if (c == '\n') {
            line_start_ = true;
            dots_ = 0;
            advance();
        } else if (c == ' ' || c == '\t' || c == '\r') {
            advance();
        } else if (c == '#') {
            skip_comment();
        } else if (c == '[' && line_start_ && depth_ == 0) {
            table_header();
        } else {
            line_start_ = false;
            if (c == '"' || c == '\'') {
                skip_string();
            } else {
                bracket(c);
                advance();
            }
        }
    }
    return error_;
}

void PreCheck::advance(std::size_t count) {
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

void PreCheck::skip_blanks() {
    while (!done() && (at(" ") || at("\t"))) {
        advance();
    }
}

void PreCheck::skip_comment() {
    while (!done() && !at("\n")) {
        advance();
    }
}

void PreCheck::skip_string() {
    for (const std::string_view delimiter : {"\"\"\"", "'''", "\"", "'"}) {
        if (at(delimiter)) {
            skip_quoted(delimiter, delimiter[0] == '"');
            return;
        }
    }
}

// An unterminated string ends with the text, a single-line one with its line: the library says so.
void PreCheck::skip_quoted(std::string_view delimiter, bool escapes) {
    advance(delimiter.size());
    while (!done() && !at(delimiter)) {
        if (delimiter.size() == 1 && at("\n")) {
            return;
        }
        advance(escapes && at("\\") ? 2 : 1);
    }
    advance(delimiter.size());
    while (delimiter.size() == 3 && at(delimiter.substr(0, 1))) {
        advance();  // up to two quotes may precede the closing three
    }
}

// Undefined in the library unless a key follows the bracket.
void PreCheck::table_header() {
    line_start_ = false;
    advance(at("[[") ? 2 : 1);
    skip_blanks();
    if (done() || !(is_bare_key_character(text_[position_]) || at("\"") || at("'") || at("]"))) {
        fail("TOML: a table header needs a name: [name] or [[name]]");
        return;
    }
    while (!done() && !at("]") && !at("\n") && !error_) {
        if (at("\"") || at("'")) {
            skip_string();
        } else {
            bracket(text_[position_]);
            advance();
        }
    }
    while (!done() && at("]")) {
        advance();
    }
    depth_ = 0;
}

void PreCheck::bracket(char c) {
    if (c == '[' || c == '{') {
        ++depth_;
        dots_ = 0;
    } else if ((c == ']' || c == '}') && depth_ > 0) {
        --depth_;
    } else if (c == '.') {
        ++dots_;
    } else if (c == '=' || c == ',') {
        dots_ = 0;
    }
    if (depth_ > kMaxTomlDepth || dots_ > kMaxTomlDepth) {
        fail("TOML: nested deeper than " + std::to_string(kMaxTomlDepth) + " levels");
    }
}

void PreCheck::fail(std::string message) {
    error_ = ConfigError{{file_, line_, column_}, std::move(message)};
}

}  // namespace
}  // namespace nsr::router
