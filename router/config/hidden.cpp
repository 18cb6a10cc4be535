#include "router/config/hidden.hpp"

#include <algorithm>

#include "core/base/words.hpp"
#include "router/config/load.hpp"
#include "router/config/toml.hpp"

namespace nsr::router {
namespace {

const TomlValue* token_in(const TomlValue& tree) {
    const TomlMember* control = tree.find("control");
    const TomlMember* token = control != nullptr ? control->value.find("token") : nullptr;
    return token != nullptr ? &token->value : nullptr;
}

// Columns count characters, from 1.
std::size_t offset_of(std::string_view text, const SourceLocation& where) {
    std::size_t at = 0;
    for (std::uint32_t line = 1; line < where.line; ++line) {
        at = std::min(text.find('\n', at), text.size() - 1) + 1;
    }
    constexpr unsigned kContinues = 0x80;
    for (std::uint32_t column = 1; column < where.column && at < text.size(); ++column) {
        do {
            ++at;
        } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == kContinues);
    }
    return at;
}

// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (const std::string_view quote : {"\"\"\"", "'''", "\"", "'"}) {
        if (!text.substr(at).starts_with(quote)) {
            continue;
        }
        std::size_t end = at + quote.size();
        while (end < text.size() && !text.substr(end).starts_with(quote)) {
            end += quote.front() == '"' && text[end] == '\\' ? 2 : 1;
        }
        return std::min(end + quote.size(), text.size());
    }
    return std::min(text.find('\n', at), text.size());
}

}  // namespace

Result<std::string, FileError> without_token(std::string_view text, const std::string& path) {
    const auto tree = parse_toml(text, path);
    if (!tree) {
        return FileError{in_lines(tree.error())};
    }
    std::string shown(text);
    const TomlValue* token = token_in(*tree);
    if (token == nullptr) {
        return shown;
    }
    const std::size_t at = offset_of(text, token->where);
    shown.replace(at, end_of_string(text, at) - at, "\"" + std::string(kHiddenToken) + "\"");
    shown = without_bytes(std::move(shown), token->text);
    const auto again = parse_toml(shown, path);
    const TomlValue* hidden = again ? token_in(*again) : nullptr;
    if (hidden == nullptr || hidden->text != kHiddenToken) {
        return FileError{path + ": its token cannot be left out\n"};
    }
    return shown;
}

std::string without_bytes(std::string text, std::string_view secret) {
    for (std::size_t at = 0;
         !secret.empty() && (at = text.find(secret, at)) != std::string::npos;) {
        text.replace(at, secret.size(), kHiddenToken);
        at += kHiddenToken.size();
    }
    return text;
}

}  // namespace nsr::router
