// Small words of the rule language: numbers, ports, ranges, addresses, protocol names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/words.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

// Decimal, 0x hexadecimal or 0 octal, at most `max`.
std::optional<std::uint64_t> parse_number(std::string_view text,
                                          std::uint64_t max = ~std::uint64_t{0});

struct NumberRange {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};
// "a", "a:b", ":b", "a:"; the separator may be another character. Nothing if a > b.
std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t max,
                                       char separator = ':');

struct PortRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0xffff;
    bool invert = false;
    [[nodiscard]] bool contains(std::uint16_t port) const {
        return (port >= low && port <= high) != invert;
    }
    [[nodiscard]] bool trivial() const { return low == 0 && high == 0xffff && !invert; }
};
// A number or one of the best known service names.
std::optional<std::uint16_t> parse_port(std::string_view text);
std::optional<PortRange> parse_port_range(std::string_view text, char separator = ':');
std::string to_string(const PortRange& range, char separator = ':');  // without the negation

// "value" or "value/mask".
struct MarkMask {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xffffffff;
};
std::optional<MarkMask> parse_mark(std::string_view text);
std::string to_string(const MarkMask& mark);  // "0x1", "0x1/0xff"
std::string hex(std::uint64_t value);         // "0x1f"
std::string hex2(std::uint8_t value);         // "0x0f"

// An address with a mask that need not be a prefix.
struct MaskedAddress {
    IpAddress address;
    IpAddress mask;
    [[nodiscard]] bool matches(const IpAddress& other) const;
};
// "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.1", "fd00::/8", "::1"; host bits are cleared.
std::optional<MaskedAddress> parse_masked_address(std::string_view text, Family family);
// The prefix length of a contiguous mask.
std::optional<unsigned> prefix_length(const IpAddress& mask);
// As iptables-save writes it, always with its mask.
std::string to_string(const MaskedAddress& address);

// Protocol numbers and /etc/protocols names, lower case.
std::optional<std::uint8_t> parse_protocol(std::string_view text);
std::string protocol_text(std::uint8_t protocol);  // name, or the number in digits

// A word as iptables-save quotes it: as it stands if it is plain, else in "" with \ escapes.
std::string quoted(std::string_view text);
// A name, which iptables-save prints as it stands: here in "" with \ escapes where a reader would
// otherwise take it for something else (blanks, quotes, "!", nothing at all).
std::string whole_word(std::string_view text);

}  // namespace nsr::rules
