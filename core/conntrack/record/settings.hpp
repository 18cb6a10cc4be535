// The sysctls of connection tracking, as plain values. Names, ranges and defaults for users are
// rows of procfs/sysctl_table.cpp; the defaults here are the article's. Timeouts in seconds.
// kernel: struct nf_ct_net and the nf_*_net of each tracker
#pragma once

#include <array>
#include <cstdint>

#include "core/conntrack/record/helper_info.hpp"

namespace nsr::conntrack {

// kernel: enum tcp_conntrack, same numbers
enum class TcpConntrack : std::uint8_t {
    None,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    SynSent2,
    Max,
};

// kernel: enum sctp_conntrack, same numbers
enum class SctpConntrack : std::uint8_t {
    None,
    Closed,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownSent,
    ShutdownRecd,
    ShutdownAckSent,
    HeartbeatSent,
    Max,
};

// Every timeout of every tracker; a timeout policy (CT --timeout) is another instance of this.
struct Timeouts {
    std::uint32_t generic = 600;
    std::uint32_t icmp = 30;
    std::uint32_t icmpv6 = 30;
    std::uint32_t udp = 30;
    std::uint32_t udp_stream = 180;
    std::uint32_t gre = 30;
    std::uint32_t gre_stream = 180;
    std::uint32_t tcp_syn_sent = 120;
    std::uint32_t tcp_syn_recv = 60;
    std::uint32_t tcp_established = 432000;
    std::uint32_t tcp_fin_wait = 120;
    std::uint32_t tcp_close_wait = 60;
    std::uint32_t tcp_last_ack = 30;
    std::uint32_t tcp_time_wait = 120;
    std::uint32_t tcp_close = 10;
    std::uint32_t tcp_syn_sent2 = 120;  // without a sysctl
    std::uint32_t tcp_max_retrans = 300;
    std::uint32_t tcp_unacknowledged = 300;
    std::uint32_t sctp_closed = 10;
    std::uint32_t sctp_cookie_wait = 3;
    std::uint32_t sctp_cookie_echoed = 3;
    std::uint32_t sctp_established = 210;
    std::uint32_t sctp_shutdown_sent = 3;
    std::uint32_t sctp_shutdown_recd = 3;
    std::uint32_t sctp_shutdown_ack_sent = 3;
    std::uint32_t sctp_heartbeat_sent = 30;
    friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

struct Settings {
    Timeouts timeouts;
    std::uint32_t max = 65536;  // 0: no limit but memory
    std::uint32_t buckets = 16384;
    std::uint32_t expect_max = 256;
    std::uint32_t acct = 0;
    std::uint32_t checksum = 1;
    std::uint32_t events = 1;
    std::uint32_t events_retry_timeout = 15;
    std::uint32_t helper = 1;       // those of `helpers` attach themselves
    HelperSet helpers = 0;          // "modules" that are loaded
    std::uint32_t log_invalid = 0;  // 0: off, 255: all protocols, else one protocol number
    std::uint32_t timestamp = 0;
    std::uint32_t tcp_be_liberal = 0;
    std::uint32_t tcp_loose = 1;
    std::uint32_t tcp_max_retrans = 3;
    std::uint32_t tcp_ignore_invalid_rst = 0;
    friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace nsr::conntrack
