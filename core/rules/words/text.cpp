#include "core/rules/words/text.hpp"

#include <algorithm>
#include <charconv>

namespace nsr::rules {

namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return 99;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
    const auto number = parse_leading_number(text, max);
    return number && number->rest.empty() ? std::optional(number->value) : std::nullopt;
}

// libxtables: xtables_strtoul
std::optional<LeadingNumber> parse_leading_number(std::string_view text, std::uint64_t max) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size()));
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    unsigned base = 10;
    const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
    if (prefixed && text.size() > 2 && digit_of(text[2]) < 16) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.starts_with('0')) {
        base = 8;
    }
    LeadingNumber number{0, text};
    while (!number.rest.empty() && digit_of(number.rest[0]) < static_cast<int>(base)) {
        const auto digit = static_cast<unsigned>(digit_of(number.rest[0]));
        if (digit > max || number.value > (max - digit) / base) {
            return std::nullopt;
        }
        number.value = number.value * base + digit;
        number.rest.remove_prefix(1);
    }
    return number.rest.size() < text.size() ? std::optional(number) : std::nullopt;
}

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
    const bool whole =
        !text.empty() && text != "!" && text.find_first_of(" \t\r\"") == std::string_view::npos;
    return whole ? std::string(text) : escaped(text);
}

}  // namespace nsr::rules
