#include "router/tools/ipset/port_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "core/base/words.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::router {

namespace {

struct IcmpName {
    std::string_view name;
    std::uint8_t type;
    std::uint8_t code;
};

// The first name of a type and code is the one that is printed.
constexpr std::array kIcmpNames = std::to_array<IcmpName>({
    {"echo-reply", 0, 0},
    {"pong", 0, 0},
    {"network-unreachable", 3, 0},
    {"host-unreachable", 3, 1},
    {"protocol-unreachable", 3, 2},
    {"port-unreachable", 3, 3},
    {"fragmentation-needed", 3, 4},
    {"source-route-failed", 3, 5},
    {"network-unknown", 3, 6},
    {"host-unknown", 3, 7},
    {"network-prohibited", 3, 9},
    {"host-prohibited", 3, 10},
    {"TOS-network-unreachable", 3, 11},
    {"TOS-host-unreachable", 3, 12},
    {"communication-prohibited", 3, 13},
    {"host-precedence-violation", 3, 14},
    {"precedence-cutoff", 3, 15},
    {"source-quench", 4, 0},
    {"network-redirect", 5, 0},
    {"host-redirect", 5, 1},
    {"TOS-network-redirect", 5, 2},
    {"TOS-host-redirect", 5, 3},
    {"echo-request", 8, 0},
    {"ping", 8, 0},
    {"router-advertisement", 9, 0},
    {"router-solicitation", 10, 0},
    {"ttl-zero-during-transit", 11, 0},
    {"ttl-zero-during-reassembly", 11, 1},
    {"ip-header-bad", 12, 0},
    {"required-option-missing", 12, 1},
    {"timestamp-request", 13, 0},
    {"timestamp-reply", 14, 0},
    {"address-mask-request", 17, 0},
    {"address-mask-reply", 18, 0},
});
constexpr std::array kIcmpv6Names = std::to_array<IcmpName>({
    {"no-route", 1, 0},
    {"communication-prohibited", 1, 1},
    {"address-unreachable", 1, 3},
    {"port-unreachable", 1, 4},
    {"packet-too-big", 2, 0},
    {"ttl-zero-during-transit", 3, 0},
    {"ttl-zero-during-reassembly", 3, 1},
    {"bad-header", 4, 0},
    {"unknown-header-type", 4, 1},
    {"unknown-option", 4, 2},
    {"echo-request", 128, 0},
    {"ping", 128, 0},
    {"echo-reply", 129, 0},
    {"pong", 129, 0},
    {"router-solicitation", 133, 0},
    {"router-advertisement", 134, 0},
    {"neighbour-solicitation", 135, 0},
    {"neigbour-solicitation", 135, 0},
    {"neighbour-advertisement", 136, 0},
    {"neigbour-advertisement", 136, 0},
    {"redirect", 137, 0},
});

std::span<const IcmpName> icmp_names(std::uint8_t protocol) {
    return protocol == proto::kIcmp ? std::span<const IcmpName>(kIcmpNames)
                                    : std::span<const IcmpName>(kIcmpv6Names);
}

bool has_ports(std::uint8_t protocol) {
    return protocol == proto::kTcp || protocol == proto::kUdp || protocol == proto::kSctp ||
           protocol == proto::kUdplite;
}

// The tool tries the text as a number first, and says all that it tried.
IpsetProblem bad_port(std::string_view port, std::string_view protocol) {
    const std::string text(port);
    const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    return {"Syntax error: '" + text +
            (number ? "' is out of range 0-65535" : "' is invalid as number") +
            "\nSyntax error: '" + std::string(protocol) + "' is invalid as number\ncannot parse '" +
            text + "' as a " + std::string(protocol) + " port"};
}

Result<PortSpan, IpsetProblem> parse_span(std::string_view text, std::uint8_t protocol) {
    const std::string name = rules::protocol_text(protocol);
    const auto whole = rules::parse_port(text);  // a service may have a dash in its name
    const std::size_t dash = whole ? std::string_view::npos : text.find('-', 1);
    const std::string_view low = text.substr(0, dash);
    const std::string_view high = dash == std::string_view::npos ? low : text.substr(dash + 1);
    const auto first = rules::parse_port(low);
    const auto last = rules::parse_port(high);
    if (!first || !last) {
        return bad_port(first ? high : low, name);
    }
    return PortSpan{protocol, std::min(*first, *last), std::max(*first, *last)};
}

std::optional<std::uint8_t> parse_byte(std::string_view text) {
    std::uint8_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

Result<PortSpan, IpsetProblem> parse_icmp(std::string_view text, std::uint8_t protocol) {
    const auto names = icmp_names(protocol);
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const IcmpName& each) { return each.name == text; });
    IcmpName known{};
    if (found != names.end()) {
        known = *found;
    } else {
        const std::size_t slash = text.find('/');
        if (slash == std::string_view::npos) {
            return IpsetProblem{"Cannot parse " + std::string(text) + " as an " +
                                (protocol == proto::kIcmp ? "ICMP" : "ICMPv6") + " type/code."};
        }
        const std::string_view parts[] = {text.substr(0, slash), text.substr(slash + 1)};
        for (const std::string_view part : parts) {
            if (!parse_byte(part)) {
                return IpsetProblem{"Syntax error: '" + std::string(part) +
                                    "' is out of range 0-255"};
            }
        }
        known = {{}, *parse_byte(parts[0]), *parse_byte(parts[1])};
    }
    const auto port = static_cast<std::uint16_t>(known.type << 8 | known.code);
    return PortSpan{protocol, port, port};
}

}  // namespace

Result<PortSpan, IpsetProblem> parse_port_span(std::string_view text, Family family) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return parse_span(text, proto::kTcp);
    }
    const std::string name = lower(text.substr(0, colon));
    const auto protocol =
        name == "icmpv6" ? std::optional(proto::kIcmpv6) : rules::parse_protocol(name);
    if (!protocol) {
        return IpsetProblem{"Syntax error: cannot parse '" + std::string(text.substr(0, colon)) +
                            "' as a protocol"};
    }
    if (*protocol == 0) {
        return IpsetProblem{"Invalid protocol specified"};
    }
    text = text.substr(colon + 1);
    if (proto::is_icmp(*protocol)) {
        const bool v6 = *protocol == proto::kIcmpv6;
        if (v6 != (family == Family::Ipv6)) {
            return IpsetProblem{std::string("Syntax error: Protocol ") + (v6 ? "ICMPv6" : "ICMP") +
                                " can be used with family " + (v6 ? "inet6" : "inet") + " only"};
        }
        return parse_icmp(text, *protocol);
    }
    if (!has_ports(*protocol) && text != "0") {
        return IpsetProblem{"Syntax error: Protocol " + rules::protocol_text(*protocol) +
                            " can be used with pseudo port value 0 only."};
    }
    return parse_span(text, *protocol);
}

Result<PortSpan, IpsetProblem> parse_plain_ports(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return parse_span(text, proto::kTcp);
    }
    const auto protocol = rules::parse_protocol(lower(text.substr(0, colon)));
    if (protocol != proto::kTcp && protocol != proto::kUdp) {
        return IpsetProblem{"Syntax error: Only protocols TCP and UDP are valid"};
    }
    return parse_span(text.substr(colon + 1), *protocol);
}

std::string port_text(std::uint8_t protocol, std::uint16_t port) {
    const std::string name = rules::protocol_text(protocol);
    if (!proto::is_icmp(protocol)) {
        return name + ":" + std::to_string(port);
    }
    const auto names = icmp_names(protocol);
    const auto found = std::find_if(names.begin(), names.end(), [&](const IcmpName& each) {
        return (each.type << 8 | each.code) == port;
    });
    return name + ":" +
           (found != names.end() ? std::string(found->name)
                                 : std::to_string(port >> 8) + "/" + std::to_string(port & 0xff));
}

}  // namespace nsr::router
