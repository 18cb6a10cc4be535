#include "core/rules/words/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

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

// Blanks or a + before a number.
std::string_view without_prefix(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size()));
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    return text;
}

std::optional<LeadingNumber> parse_digits(std::string_view text, unsigned base, std::uint64_t max) {
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

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
    const auto number = parse_leading_number(text, max);
    return number && number->rest.empty() ? std::optional(number->value) : std::nullopt;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
    text.remove_prefix(text.starts_with('+') ? 1 : 0);
    std::uint64_t number = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    return error == std::errc{} && end == last ? std::optional(number) : std::nullopt;
}

// libxtables: xtables_strtoul
std::optional<LeadingNumber> parse_leading_number(std::string_view text, std::uint64_t max) {
    text = without_prefix(text);
    const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
    if (prefixed && text.size() > 2 && digit_of(text[2]) < 16) {
        return parse_digits(text.substr(2), 16, max);
    }
    return parse_digits(text, text.starts_with('0') ? 8 : 10, max);
}

std::optional<LeadingNumber> parse_leading_decimal(std::string_view text, std::uint64_t max) {
    return parse_digits(without_prefix(text), 10, max);
}

std::optional<LeadingReal> parse_leading_real(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    const auto length = static_cast<std::size_t>(end - copy.c_str());
    return length == 0 ? std::nullopt : std::optional(LeadingReal{value, text.substr(length)});
}

}  // namespace nsr::rules
