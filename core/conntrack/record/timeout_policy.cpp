#include "core/conntrack/record/timeout_policy.hpp"

#include <algorithm>
#include <array>

#include "core/base/words.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

namespace {

// In the kernel's order, in which nfct(8) lists them.
constexpr auto kTcpStates = std::to_array<TimeoutState>({
    {"SYN_SENT", &Timeouts::tcp_syn_sent},
    {"SYN_RECV", &Timeouts::tcp_syn_recv},
    {"ESTABLISHED", &Timeouts::tcp_established},
    {"FIN_WAIT", &Timeouts::tcp_fin_wait},
    {"CLOSE_WAIT", &Timeouts::tcp_close_wait},
    {"LAST_ACK", &Timeouts::tcp_last_ack},
    {"TIME_WAIT", &Timeouts::tcp_time_wait},
    {"CLOSE", &Timeouts::tcp_close},
    {"SYN_SENT2", &Timeouts::tcp_syn_sent2},
    {"RETRANS", &Timeouts::tcp_max_retrans},
    {"UNACKNOWLEDGED", &Timeouts::tcp_unacknowledged},
});
constexpr auto kUdpStates = std::to_array<TimeoutState>({
    {"UNREPLIED", &Timeouts::udp},
    {"REPLIED", &Timeouts::udp_stream},
});
constexpr auto kGreStates = std::to_array<TimeoutState>({
    {"UNREPLIED", &Timeouts::gre},
    {"REPLIED", &Timeouts::gre_stream},
});
constexpr auto kSctpStates = std::to_array<TimeoutState>({
    {"CLOSED", &Timeouts::sctp_closed},
    {"COOKIE_WAIT", &Timeouts::sctp_cookie_wait},
    {"COOKIE_ECHOED", &Timeouts::sctp_cookie_echoed},
    {"ESTABLISHED", &Timeouts::sctp_established},
    {"SHUTDOWN_SENT", &Timeouts::sctp_shutdown_sent},
    {"SHUTDOWN_RECD", &Timeouts::sctp_shutdown_recd},
    {"SHUTDOWN_ACK_SENT", &Timeouts::sctp_shutdown_ack_sent},
});
constexpr auto kIcmpStates = std::to_array<TimeoutState>({{"TIMEOUT", &Timeouts::icmp}});
constexpr auto kIcmpv6States = std::to_array<TimeoutState>({{"TIMEOUT", &Timeouts::icmpv6}});
constexpr auto kGenericStates = std::to_array<TimeoutState>({{"TIMEOUT", &Timeouts::generic}});

constexpr auto kProtocols = std::to_array<TimeoutProtocol>({
    {"tcp", proto::kTcp, kTcpStates},
    {"udp", proto::kUdp, kUdpStates},
    {"udplite", proto::kUdplite, kUdpStates},
    {"icmp", proto::kIcmp, kIcmpStates},
    {"icmpv6", proto::kIcmpv6, kIcmpv6States},
    {"sctp", proto::kSctp, kSctpStates},
    {"gre", proto::kGre, kGreStates},
    {"generic", kGenericProtocol, kGenericStates},
});

}  // namespace

const TimeoutState* TimeoutProtocol::find(std::string_view state) const {
    const auto found = std::find_if(states.begin(), states.end(), [&](const TimeoutState& row) {
        return lower(row.name) == lower(state);
    });
    return found == states.end() ? nullptr : &*found;
}

std::span<const TimeoutProtocol> timeout_protocols() {
    return kProtocols;
}

const TimeoutProtocol* find_timeout_protocol(std::string_view name) {
    const auto found =
        std::find_if(kProtocols.begin(), kProtocols.end(),
                     [&](const TimeoutProtocol& row) { return row.name == lower(name); });
    return found == kProtocols.end() ? nullptr : &*found;
}

// kernel: nf_ct_l4proto_find
const TimeoutProtocol& timeout_protocol(std::uint8_t number) {
    const auto found =
        std::find_if(kProtocols.begin(), kProtocols.end(),
                     [&](const TimeoutProtocol& row) { return row.number == number; });
    return found == kProtocols.end() ? kProtocols.back() : *found;
}

}  // namespace nsr::conntrack
