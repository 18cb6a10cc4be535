// Values that the words of ip(8) take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/routing/policy_rule.hpp"
#include "core/routing/route.hpp"

namespace nsr::router {

// Of links and routes, in bytes. kernel: ETH_MIN_MTU, ETH_MAX_MTU
inline constexpr std::uint32_t kLeastMtu = 68;
inline constexpr std::uint32_t kMostMtu = 65535;

// Decimal, or hexadecimal with 0x.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most = 0xffffffff);
// A TOS, hexadecimal with or without 0x, as iproute2 reads it.
std::optional<std::uint8_t> parse_tos(std::string_view text);
// What is wrong with one to route by; empty: nothing.
std::string wrong_tos(std::uint8_t tos, Family family);
// local, main, default or a number from 1 on.
std::optional<std::uint32_t> parse_table(std::string_view text);
std::string table_name(std::uint32_t table);
std::optional<routing::RouteType> parse_route_type(std::string_view word);
std::string_view name_of(routing::RouteType type);
// tcp, udp, ... or a number from 1 to 255
std::optional<std::uint8_t> parse_protocol(std::string_view text);
std::string ipproto_name(std::uint8_t protocol);
// "0x10"; with zeros before it up to `digits`.
std::string hexadecimal(std::uint32_t value, std::size_t digits = 1);
// As iproute2 says that a value is none.
std::string wrong_argument(const std::string& value, const std::string& why);

}  // namespace nsr::router
