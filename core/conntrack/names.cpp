// What the protocols and their states are called in /proc/net/nf_conntrack.
#include <algorithm>
#include <array>

#include "core/conntrack/names.hpp"
#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/trackers/tcp_table.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

namespace {

// In the order of TcpConntrack. kernel: tcp_conntrack_names
constexpr std::array<std::string_view, static_cast<std::size_t>(TcpConntrack::Max)> kTcpNames = {
    "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
    "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2",
};

// In the order of SctpConntrack. kernel: sctp_conntrack_names
constexpr std::array<std::string_view, static_cast<std::size_t>(SctpConntrack::Max)> kSctpNames = {
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT",
};

template <std::size_t N>
std::string_view entry(const std::array<std::string_view, N>& names, std::size_t index) {
    return index < N ? names[index] : std::string_view{};
}

}  // namespace

std::string_view tcp_state_name(TcpConntrack state) {
    return entry(kTcpNames, static_cast<std::size_t>(state));
}

std::string_view state_name(const Connection& connection) {
    switch (connection.protocol) {
        case proto::kTcp:
            return entry(kTcpNames, connection.state.tcp.state);
        case proto::kSctp:
            return entry(kSctpNames, connection.state.sctp.state);
        default:
            return {};
    }
}

// kernel: l4proto_name
std::string_view protocol_name(std::uint8_t protocol) {
    switch (protocol) {
        case proto::kIcmp:
            return "icmp";
        case proto::kTcp:
            return "tcp";
        case proto::kUdp:
            return "udp";
        case proto::kGre:
            return "gre";
        case proto::kIcmpv6:
            return "icmpv6";
        case proto::kSctp:
            return "sctp";
        case proto::kUdplite:
            return "udplite";
        default:
            return "unknown";
    }
}

bool is_state_name(std::string_view name) {
    const auto among = [name](const auto& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    return among(kTcpNames) || among(kSctpNames);
}

}  // namespace nsr::conntrack
