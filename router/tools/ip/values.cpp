#include "router/tools/ip/values.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace nsr::router {
namespace {

using routing::RouteType;

constexpr std::pair<std::string_view, std::uint32_t> kTables[] = {
    {"local", routing::kLocalTable},
    {"main", routing::kMainTable},
    {"default", routing::kDefaultTable},
};

constexpr std::pair<std::string_view, RouteType> kTypes[] = {
    {"unicast", RouteType::Unicast},   {"blackhole", RouteType::Blackhole},
    {"prohibit", RouteType::Prohibit}, {"unreachable", RouteType::Unreachable},
    {"throw", RouteType::Throw},
};

// The rows of /etc/protocols that rules are written with.
constexpr std::pair<std::string_view, std::uint32_t> kProtocols[] = {
    {"icmp", 1}, {"tcp", 6}, {"udp", 17},       {"dccp", 33},  {"gre", 47},
    {"esp", 50}, {"ah", 51}, {"ipv6-icmp", 58}, {"sctp", 132}, {"udplite", 136},
};

template <class Table>
auto by_name(const Table& table, std::string_view name) {
    return std::find_if(std::begin(table), std::end(table),
                        [&](const auto& row) { return row.first == name; });
}

template <class Table, class Value>
std::string name_in(const Table& table, Value value) {
    const auto row = std::find_if(std::begin(table), std::end(table),
                                  [&](const auto& each) { return each.second == value; });
    return row == std::end(table) ? std::to_string(value) : std::string(row->first);
}

}  // namespace

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = text.substr(hexadecimal ? 2 : 0);
    std::uint32_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
    const bool number = error == std::errc{} && stop == end && !digits.empty();
    return number && value <= most ? std::optional(value) : std::nullopt;
}

std::optional<std::uint8_t> parse_tos(std::string_view text) {
    const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
    const auto tos = parse_number(prefixed ? std::string(text) : "0x" + std::string(text), 0xff);
    return tos ? std::optional(static_cast<std::uint8_t>(*tos)) : std::nullopt;
}

// kernel: inet_validate_dscp, fib4_rule_configure
std::string wrong_tos(std::uint8_t tos, Family family) {
    constexpr std::uint8_t kEcnBits = 0x3;
    if ((tos & kEcnBits) != 0) {
        return "Error: Invalid dsfield (tos): ECN bits must be 0.";
    }
    return (tos & ~routing::routed_tos(family, 0xff)) != 0 ? "Error: Invalid tos." : "";
}

std::optional<std::uint32_t> parse_table(std::string_view text) {
    const auto named = by_name(kTables, text);
    if (named != std::end(kTables)) {
        return named->second;
    }
    const auto number = parse_number(text);
    return number.value_or(0) == 0 ? std::nullopt : number;
}

std::string table_name(std::uint32_t table) {
    return name_in(kTables, table);
}

std::optional<RouteType> parse_route_type(std::string_view word) {
    const auto found = by_name(kTypes, word);
    return found == std::end(kTypes) ? std::nullopt : std::optional(found->second);
}

std::string_view name_of(RouteType type) {
    return kTypes[static_cast<std::size_t>(type)].first;
}

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
    const auto named = by_name(kProtocols, text);
    const auto value =
        named != std::end(kProtocols) ? std::optional(named->second) : parse_number(text, 0xff);
    return value.value_or(0) == 0 ? std::nullopt : std::optional(static_cast<std::uint8_t>(*value));
}

std::string ipproto_name(std::uint8_t protocol) {
    return name_in(kProtocols, std::uint32_t{protocol});
}

std::string hexadecimal(std::uint32_t value, std::size_t digits) {
    char text[8];
    const auto end = std::to_chars(std::begin(text), std::end(text), value, 16).ptr;
    const auto count = static_cast<std::size_t>(end - text);
    return "0x" + std::string(digits > count ? digits - count : 0, '0') + std::string(text, count);
}

std::string wrong_argument(const std::string& value, const std::string& why) {
    return "Error: argument \"" + value + "\" is wrong: " + why;
}

}  // namespace nsr::router
