#include "core/rules/words/numbers.hpp"

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

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
    text.remove_prefix(text.starts_with('+') ? 1 : 0);
    std::uint64_t number = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    return error == std::errc{} && end == last ? std::optional(number) : std::nullopt;
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

}  // namespace nsr::rules
