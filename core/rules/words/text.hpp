// Small words of the rule language: numbers, ports, ranges, protocol names; addresses are in
// addresses.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/words.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/numbers.hpp"

namespace nsr::rules {

struct NumberRange {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};
// "a", "a:b", ":b", "a:", where ends that are not there are 0 and `max`. May end before it begins:
// then it holds nothing. libxtables: xtopt_parse_mint
std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t max);

struct PortRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0xffff;
    bool invert = false;
    [[nodiscard]] bool contains(std::uint16_t port) const {
        return (port >= low && port <= high) != invert;
    }
    [[nodiscard]] bool trivial() const { return low == 0 && high == 0xffff && !invert; }
};
// The port of a service of this protocol; 0: of any.
std::optional<std::uint16_t> service_port(std::string_view name, std::uint8_t protocol);
// A number, or the name of a service of this protocol. libxtables: xtables_parse_port
std::optional<std::uint16_t> parse_port(std::string_view text, std::uint8_t protocol = 0);
// "a", "a:b", ":b", "a:"; nothing if a > b.
std::optional<PortRange> parse_port_range(std::string_view text, std::uint8_t protocol = 0);
// As getaddrinfo reads ports: digits, or the name of a service of any protocol. May end before it
// begins: then it holds nothing. libxtables: xtopt_parse_mport
std::optional<std::uint16_t> parse_resolved_port(std::string_view text);
std::optional<PortRange> parse_resolved_port_range(std::string_view text);
std::string to_string(const PortRange& range);  // without the negation

// "value" or "value/mask".
struct MarkMask {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xffffffff;
};
std::optional<MarkMask> parse_mark(std::string_view text);
std::string to_string(const MarkMask& mark);  // "0x1", "0x1/0xff"
std::string hex(std::uint64_t value);         // "0x1f"
std::string hex2(std::uint8_t value);         // "0x0f"

// The number or the name of a protocol, as -p takes it: in any case; or as options of modules do:
// letter by letter, and second names such as "TCP" or "IPv6-ICMP" as well.
std::optional<std::uint8_t> parse_protocol(std::string_view text);
std::optional<std::uint8_t> parse_exact_protocol(std::string_view text);
std::string protocol_text(std::uint8_t protocol);  // name, or the number in digits

// The parts of a list between commas, those without a character left out. libc: strtok
std::vector<std::string_view> tokens(std::string_view text);

// A word as iptables-save quotes it: as it stands if it is plain, else in "" with \ escapes.
std::string quoted(std::string_view text);
// A name, which iptables-save prints as it stands: here in "" with \ escapes where a reader would
// otherwise take it for something else (blanks, quotes, nothing at all).
std::string whole_word(std::string_view text);

}  // namespace nsr::rules
