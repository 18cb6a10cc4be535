#include <charconv>

#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

using PortReader = std::optional<std::uint16_t> (*)(std::string_view, std::uint8_t);

// Ends that are not there are 0 and 65535.
std::optional<PortRange> read_range(std::string_view text, PortReader read, std::uint8_t protocol) {
    const std::size_t at = text.find(':');
    const auto end = [&](std::string_view part, std::uint16_t absent) {
        return part.empty() ? std::optional(absent) : read(part, protocol);
    };
    if (at == std::string_view::npos) {
        const auto port = read(text, protocol);
        return port ? std::optional(PortRange{*port, *port}) : std::nullopt;
    }
    const auto low = end(text.substr(0, at), 0);
    const auto high = end(text.substr(at + 1), 0xffff);
    return low && high ? std::optional(PortRange{*low, *high}) : std::nullopt;
}

}  // namespace

std::optional<std::uint16_t> parse_port(std::string_view text, std::uint8_t protocol) {
    if (const auto number = parse_number(text, 0xffff)) {
        return static_cast<std::uint16_t>(*number);
    }
    return service_port(text, protocol);
}

std::optional<PortRange> parse_port_range(std::string_view text, std::uint8_t protocol) {
    const auto range = read_range(text, parse_port, protocol);
    return range && range->low <= range->high ? range : std::nullopt;
}

std::optional<std::uint16_t> parse_resolved_port(std::string_view text) {
    std::string_view digits = text;
    digits.remove_prefix(std::min(digits.find_first_not_of(" \t\n\v\f\r"), digits.size()));
    if (digits.starts_with('+')) {
        digits.remove_prefix(1);
    }
    std::uint16_t port = 0;
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, port);
    if (text.empty() || (error == std::errc{} && end == last)) {
        return port;
    }
    for (const std::uint8_t protocol : {proto::kTcp, proto::kUdp, proto::kSctp}) {
        if (const auto service = service_port(text, protocol)) {
            return service;
        }
    }
    return std::nullopt;
}

std::optional<PortRange> parse_resolved_port_range(std::string_view text) {
    return read_range(
        text, [](std::string_view part, std::uint8_t) { return parse_resolved_port(part); }, 0);
}

std::string to_string(const PortRange& range) {
    std::string text = std::to_string(range.low);
    if (range.high != range.low) {
        text += ":" + std::to_string(range.high);
    }
    return text;
}

}  // namespace nsr::rules
