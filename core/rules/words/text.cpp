#include "core/rules/words/text.hpp"

#include <algorithm>
#include <charconv>

namespace nsr::rules {

std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t max) {
    const std::size_t at = text.find(':');
    const auto end = [&](std::string_view part, std::uint64_t absent) {
        return part.empty() ? std::optional(absent) : parse_number(part, max);
    };
    const auto low = end(text.substr(0, at), 0);
    const auto high = at == std::string_view::npos ? low : end(text.substr(at + 1), max);
    return low && high ? std::optional(NumberRange{*low, *high}) : std::nullopt;
}

std::optional<MarkMask> parse_mark(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto value = parse_number(text.substr(0, slash), 0xffffffff);
    auto mask = std::optional<std::uint64_t>(0xffffffff);
    if (slash != std::string_view::npos) {
        mask = parse_number(text.substr(slash + 1), 0xffffffff);
    }
    if (!value || !mask) {
        return std::nullopt;
    }
    return MarkMask{static_cast<std::uint32_t>(*value), static_cast<std::uint32_t>(*mask)};
}

std::string to_string(const MarkMask& mark) {
    return mark.mask == 0xffffffff ? hex(mark.value) : hex(mark.value) + "/" + hex(mark.mask);
}

std::string hex(std::uint64_t value) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    return "0x" + std::string(digits, end);
}

std::string hex2(std::uint8_t value) {
    return (value < 16 ? "0x0" : "0x") + hex(value).substr(2);
}

std::vector<std::string_view> tokens(std::string_view text) {
    auto parts = split(text, ',');
    std::erase_if(parts, [](std::string_view part) { return part.empty(); });
    return parts;
}

namespace {

std::string escaped(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\' || c == '\'') {
            result += '\\';
        }
        result += c;
    }
    return result + "\"";
}

}  // namespace

std::string quoted(std::string_view text) {
    constexpr std::string_view kPlain =
        "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos;
    return plain ? std::string(text) : escaped(text);
}

// differs: saved-text-is-read-back
std::string whole_word(std::string_view text) {
    const bool whole = !text.empty() && text.find_first_of(" \t\r\"") == std::string_view::npos;
    return whole ? std::string(text) : escaped(text);
}

}  // namespace nsr::rules
