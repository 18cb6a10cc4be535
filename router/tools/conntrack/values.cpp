#include "router/tools/conntrack/values.hpp"

#include <algorithm>

#include "core/base/words.hpp"
#include "core/conntrack/names.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::router {
namespace {

struct ProtocolName {
    std::string_view name;
    std::uint8_t number;
};
constexpr ProtocolName kProtocols[] = {
    {"icmp", 1},    {"igmp", 2},       {"ipip", 4},  {"tcp", 6},    {"udp", 17},
    {"dccp", 33},   {"ipv6", 41},      {"gre", 47},  {"esp", 50},   {"ah", 51},
    {"icmpv6", 58}, {"ipv6-icmp", 58}, {"ospf", 89}, {"sctp", 132}, {"udplite", 136}};

constexpr std::string_view kDccpStates[] = {"NONE",   "REQUEST",  "RESPOND", "PARTOPEN",
                                            "OPEN",   "CLOSEREQ", "CLOSING", "TIMEWAIT",
                                            "IGNORE", "INVALID"};

// What TCP's SYN_SENT2 was called.
constexpr std::string_view kListen = "LISTEN";

AddressPort with_port(std::string address, std::string_view port) {
    if (port.empty()) {
        return {{}, {}, "No port specified after `:'"};
    }
    std::uint16_t number = 0;
    const bool digits =
        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || !parse_whole(port, number)) {
        return {{}, {}, "Invalid port `" + shown(port) + "'"};
    }
    return {std::move(address), number, {}};
}

}  // namespace

std::string shown(std::string_view text) {
    constexpr std::size_t kMost = 60;
    return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

std::optional<std::uint8_t> protocol_by_name(const std::string& name) {
    for (const ProtocolName& row : kProtocols) {
        if (row.name == lower(name)) {
            return row.number;
        }
    }
    std::uint8_t number = 0;
    return parse_whole(name, number) ? std::optional(number) : std::nullopt;
}

std::optional<std::uint8_t> state_by_name(std::uint8_t protocol, std::string_view name) {
    if (protocol == proto::kDccp) {
        const auto* found = std::find(std::begin(kDccpStates), std::end(kDccpStates), name);
        return found == std::end(kDccpStates)
                   ? std::nullopt
                   : std::optional(static_cast<std::uint8_t>(found - std::begin(kDccpStates)));
    }
    const std::string_view wanted =
        protocol == proto::kTcp && name == kListen ? std::string_view("SYN_SENT2") : name;
    conntrack::Connection connection;
    connection.protocol = protocol;
    for (std::uint8_t state = 0;; ++state) {
        if (protocol == proto::kTcp) {
            connection.state.tcp.state = state;
        } else {
            connection.state.sctp.state = state;
        }
        const std::string_view called = conntrack::state_name(connection);
        if (called.empty() || called == wanted) {
            return called.empty() ? std::nullopt : std::optional(state);
        }
    }
}

AddressPort split_address_and_port(const std::string& text) {
    const std::size_t opening = text.find('[');
    if (opening == std::string::npos) {
        const std::size_t colon = text.find(':');
        const bool only =
            colon != std::string::npos && text.find(':', colon + 1) == std::string::npos;
        return only ? with_port(text.substr(0, colon), text.substr(colon + 1))
                    : AddressPort{text, {}, {}};
    }
    const std::size_t begin = opening + 1;
    const std::size_t closing = text.find(']', begin);
    if (closing == begin) {
        return {{}, {}, "No IPv6 address specified"};
    }
    if (closing == std::string::npos) {
        return {{}, {}, "No closing ']' around IPv6 address"};
    }
    const std::size_t colon = text.find(':', closing);
    return colon == std::string::npos
               ? AddressPort{text, {}, {}}
               : with_port(text.substr(begin, closing - begin), text.substr(colon + 1));
}

}  // namespace nsr::router
