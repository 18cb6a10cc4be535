// Words of conntrack(8) that stand for values.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/wire/address.hpp"

namespace nsr::router {

// Decimal, or hexadecimal behind 0x. False: it is no number, or too large.
template <class T>
bool parse_whole(std::string_view text, T& into) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    text.remove_prefix(hexadecimal ? 2 : 0);
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, into, hexadecimal ? 16 : 10);
    return error == std::errc{} && stop == end && !text.empty();
}

// What was wrong, not all of it if that is long.
std::string shown(std::string_view text);
std::string upper(std::string_view text);

// "tcp", "TCP", "6", "ospf".
std::optional<std::uint8_t> protocol_by_name(const std::string& name);

// The number of a state that `protocol` has. DCCP has states, which are tracked by nobody.
std::optional<std::uint8_t> state_by_name(std::uint8_t protocol, std::string_view name);

// A verification tag of SCTP as the tool reads and prints it: its octets in the other order.
constexpr std::uint32_t swapped_tag(std::uint32_t tag) {
    return tag >> 24 | (tag >> 8 & 0xff00) | (tag & 0xff00) << 8 | tag << 24;
}

// "192.0.2.1:80", "[2001:db8::1]:80", or an address alone.
struct AddressPort {
    std::string address;
    std::optional<std::uint16_t> port;
    std::string problem;  // empty: none
};
AddressPort split_address_and_port(const std::string& text);

}  // namespace nsr::router
