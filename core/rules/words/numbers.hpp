// Numbers as libxtables reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nsr::rules {

// Decimal, 0x hexadecimal or 0 octal, at most `max`; blanks or a + may stand before it.
std::optional<std::uint64_t> parse_number(std::string_view text,
                                          std::uint64_t max = ~std::uint64_t{0});

// Decimal digits, whatever they begin with; a + may stand before them.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

// A number at the beginning, and what stands behind it; nothing if it is above `max`.
struct LeadingNumber {
    std::uint64_t value = 0;
    std::string_view rest;
};
std::optional<LeadingNumber> parse_leading_number(std::string_view text, std::uint64_t max);
// In decimal digits, whatever they begin with: "08". libc: strtoul with base 10, atoll
std::optional<LeadingNumber> parse_leading_decimal(std::string_view text, std::uint64_t max);

// A number with or without a point at the beginning, and what stands behind it. libc: strtod
struct LeadingReal {
    double value = 0;
    std::string_view rest;
};
std::optional<LeadingReal> parse_leading_real(std::string_view text);

}  // namespace nsr::rules
