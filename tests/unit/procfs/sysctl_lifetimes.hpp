// What each timeout of connection tracking is about: a story whose connection has it in the end.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "tests/unit/procfs/sysctl_machine.hpp"

namespace nsr::test {

struct Lifetime {
    const char* timeout;
    void (*story)(Machine&);
};

inline constexpr char kHeartbeat = 4, kAbort = 6, kShutdown = 7, kShutdownAck = 8;

inline const std::array kLifetimes = {
    Lifetime{"generic_timeout", [](Machine& m) { m.from_lan(ip(99, "10.0.0.2", "192.0.2.7")); }},
    Lifetime{"gre_timeout",
             [](Machine& m) {
                 m.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(std::string("\0\0\x08\0", 4)));
             }},
    Lifetime{"gre_timeout_stream",
             [](Machine& m) {
                 const std::string header("\0\0\x08\0", 4);
                 m.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(header));
                 m.from_wan(ip(47, "192.0.2.7", "10.0.0.2").data(header));
                 m.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(header));
             }},
    Lifetime{"icmp_timeout", [](Machine& m) { m.from_lan(ping("10.0.0.2", "192.0.2.7")); }},
    Lifetime{"icmpv6_timeout", [](Machine& m) { m.from_lan(ping("fd00:1::2", "2001:db8::7")); }},
    Lifetime{"sctp_timeout_closed",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(true, kAbort);
             }},
    Lifetime{"sctp_timeout_cookie_wait",
             [](Machine& m) {
                 m.sctp(true, 1);
                 m.sctp(false, 2);
             }},
    Lifetime{"sctp_timeout_cookie_echoed",
             [](Machine& m) {
                 m.sctp(true, 1);
                 m.sctp(false, 2);
                 m.sctp(true, 10);
             }},
    Lifetime{"sctp_timeout_established", [](Machine& m) { m.sctp_handshake(); }},
    Lifetime{"sctp_timeout_heartbeat_sent", [](Machine& m) { m.sctp(true, kHeartbeat); }},
    Lifetime{"sctp_timeout_shutdown_sent",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(true, kShutdown);
             }},
    Lifetime{"sctp_timeout_shutdown_recd",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(false, kShutdown);
             }},
    Lifetime{"sctp_timeout_shutdown_ack_sent",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(true, kShutdown);
                 m.sctp(false, kShutdownAck);
             }},
    Lifetime{"tcp_timeout_syn_sent", [](Machine& m) { m.syn(); }},
    Lifetime{"tcp_timeout_syn_recv",
             [](Machine& m) {
                 m.syn();
                 m.syn_ack();
             }},
    Lifetime{"tcp_timeout_established", [](Machine& m) { m.handshake(); }},
    Lifetime{"tcp_timeout_fin_wait", [](Machine& m) { m.fin(); }},
    Lifetime{"tcp_timeout_close_wait", [](Machine& m) { m.fin_acknowledged(); }},
    Lifetime{"tcp_timeout_last_ack", [](Machine& m) { m.both_fins(); }},
    Lifetime{"tcp_timeout_time_wait",
             [](Machine& m) {
                 m.both_fins();
                 m.from_lan(tcp(kClient, kServer).seq(1002).ack(5002));
             }},
    Lifetime{"tcp_timeout_close",
             [](Machine& m) {
                 m.handshake();
                 m.from_wan(tcp(kServer, kClient).rst().seq(5001).ack(1001));
             }},
    Lifetime{"tcp_timeout_max_retrans",
             [](Machine& m) {
                 m.handshake();
                 for (int i = 0; i < 5; ++i) {
                     m.data();
                 }
             }},
    Lifetime{"tcp_timeout_unacknowledged",
             [](Machine& m) {
                 m.handshake();
                 m.data();
             }},
    Lifetime{"udp_timeout", [](Machine& m) { m.from_lan(udp(kClient, kServer)); }},
    Lifetime{"udp_timeout_stream",
             [](Machine& m) {
                 m.from_lan(udp(kClient, kServer));
                 m.from_wan(udp(kServer, kClient));
                 m.now += std::chrono::seconds(3);
                 m.from_lan(udp(kClient, kServer));
             }},
};

// Null: it is no timeout.
inline const Lifetime* lifetime_of(std::string_view name) {
    constexpr std::string_view kPrefix = "netfilter/nf_conntrack_";
    const auto* found = std::find_if(kLifetimes.begin(), kLifetimes.end(), [&](const auto& each) {
        return name == std::string(kPrefix) + each.timeout;
    });
    return found == kLifetimes.end() ? nullptr : found;
}

}  // namespace nsr::test
