#include "core/procfs/sysctl_table.hpp"

#include <limits>

#include "core/base/instant.hpp"

namespace nsr::procfs {

namespace {

using conntrack::Timeouts;
using pipeline::Settings;
using Ct = conntrack::Settings;
using Frag = defrag::Settings;
using Fwd = pipeline::ForwardingSettings;

constexpr std::int64_t kIntMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxSeconds = kIntMax / kJiffiesPerSecond;

// Where a member of one of the parts of Settings lives, by the part that it is a member of.
template <auto kMember>
struct Place;
template <class Value, Value Ct::*kMember>
struct Place<kMember> {
    static Value& in(Settings& settings) { return settings.conntrack.*kMember; }
};
template <class Value, Value Timeouts::*kMember>
struct Place<kMember> {
    static Value& in(Settings& settings) { return settings.conntrack.timeouts.*kMember; }
};
template <class Value, Value Frag::*kMember>
struct Place<kMember> {
    static Value& in(Settings& settings) { return settings.defrag.*kMember; }
};
template <class Value, Value Fwd::*kMember>
struct Place<kMember> {
    static Value& in(Settings& settings) { return settings.forwarding.*kMember; }
};

struct Range {
    std::int64_t least = 0;
    std::int64_t most = kIntMax;
};
constexpr Range kAnyInt{kIntMin, kIntMax};
constexpr Range kFlag{0, 1};
constexpr Range kByte{0, 255};

constexpr std::string_view kFollowsNoRedirect = "the router follows no redirects";
constexpr std::string_view kFollowsNoSourceRoute = "the router follows no source routes";

template <auto kMember>
constexpr SysctlRow number(std::string_view name, std::int64_t initial, Range range,
                           SysctlKind kind = SysctlKind::Number) {
    return {name, kind, initial, range.least, range.most, &Place<kMember>::in};
}
template <auto kMember>
constexpr SysctlRow seconds(std::string_view name, std::int64_t initial) {
    return number<kMember>(name, initial, {-kMaxSeconds, kMaxSeconds}, SysctlKind::Seconds);
}
// The whole range of an int, as all of these.
template <auto kMember>
constexpr SysctlRow conf(std::string_view name, std::int64_t initial,
                         Spread spread = Spread::Nothing) {
    SysctlRow row = number<kMember>(name, initial, kAnyInt);
    row.spread = spread;
    return row;
}
constexpr SysctlRow fixed(std::string_view name, std::int64_t value, std::string_view reason) {
    return {.name = name,
            .kind = SysctlKind::Fixed,
            .initial = value,
            .least = value,
            .most = value,
            .reason = reason};
}
template <auto kMember, auto kOther>
constexpr SysctlRow threshold(std::string_view name, std::int64_t initial, SysctlKind kind) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    return {name, kind, initial, 0, kMost, &Place<kMember>::in, &Place<kOther>::in};
}

// Name, the value at first, range. Ranges are the kernel's, asked of it.
// clang-format off
constexpr SysctlRow kRows[] = {
    conf<&Fwd::accept_local>("ipv4/conf/*/accept_local", 0),
    fixed("ipv4/conf/*/accept_redirects", 0, kFollowsNoRedirect),
    fixed("ipv4/conf/*/accept_source_route", 0, kFollowsNoSourceRoute),
    conf<&Fwd::ipv4_forwarding>("ipv4/conf/*/forwarding", 1, Spread::OnChange),
    conf<&Fwd::log_martians>("ipv4/conf/*/log_martians", 0),
    conf<&Fwd::route_localnet>("ipv4/conf/*/route_localnet", 0),
    conf<&Fwd::rp_filter>("ipv4/conf/*/rp_filter", 0),
    conf<&Fwd::secure_redirects>("ipv4/conf/*/secure_redirects", 1),
    conf<&Fwd::send_redirects>("ipv4/conf/*/send_redirects", 0),
    conf<&Fwd::src_valid_mark>("ipv4/conf/*/src_valid_mark", 0),
    number<&Fwd::fib_multipath_hash_policy>("ipv4/fib_multipath_hash_policy", 0, kFlag),
    number<&Fwd::icmp_echo_ignore_all>("ipv4/icmp_echo_ignore_all", 0, kFlag),
    number<&Fwd::icmp_echo_ignore_broadcasts>("ipv4/icmp_echo_ignore_broadcasts", 1, kFlag),
    number<&Fwd::icmp_msgs_per_sec>("ipv4/icmp_msgs_per_sec", 1000, {}),
    number<&Fwd::icmp_ratelimit>("ipv4/icmp_ratelimit", 1000, {}, SysctlKind::Milliseconds),
    number<&Fwd::ip_default_ttl>("ipv4/ip_default_ttl", 64, {1, 255}),
    conf<&Fwd::ipv4_forwarding>("ipv4/ip_forward", 1, Spread::OnChange),
    threshold<&Frag::ipfrag_high_thresh, &Frag::ipfrag_low_thresh>("ipv4/ipfrag_high_thresh", 4194304, SysctlKind::HighThreshold),
    threshold<&Frag::ipfrag_low_thresh, &Frag::ipfrag_high_thresh>("ipv4/ipfrag_low_thresh", 3145728, SysctlKind::LowThreshold),
    number<&Frag::ipfrag_max_dist>("ipv4/ipfrag_max_dist", 64, {}),
    seconds<&Frag::ipfrag_time>("ipv4/ipfrag_time", 30),
    fixed("ipv6/conf/*/accept_ra", 0, "the router takes no advertisements"),
    fixed("ipv6/conf/*/accept_redirects", 0, kFollowsNoRedirect),
    fixed("ipv6/conf/*/accept_source_route", 0, kFollowsNoSourceRoute),
    conf<&Fwd::disable_ipv6>("ipv6/conf/*/disable_ipv6", 0, Spread::Everywhere),
    conf<&Fwd::ipv6_forwarding>("ipv6/conf/*/forwarding", 1, Spread::Everywhere),
    number<&Fwd::ipv6_fib_multipath_hash_policy>("ipv6/fib_multipath_hash_policy", 0, kFlag),
    number<&Fwd::ipv6_echo_ignore_all>("ipv6/icmp/echo_ignore_all", 0, kByte),
    number<&Fwd::ipv6_echo_ignore_anycast>("ipv6/icmp/echo_ignore_anycast", 0, kByte),
    number<&Fwd::ipv6_echo_ignore_multicast>("ipv6/icmp/echo_ignore_multicast", 0, kByte),
    number<&Fwd::ipv6_icmp_ratelimit>("ipv6/icmp/ratelimit", 100, {}, SysctlKind::Milliseconds),
    threshold<&Frag::ip6frag_high_thresh, &Frag::ip6frag_low_thresh>("ipv6/ip6frag_high_thresh", 4194304, SysctlKind::HighThreshold),
    threshold<&Frag::ip6frag_low_thresh, &Frag::ip6frag_high_thresh>("ipv6/ip6frag_low_thresh", 3145728, SysctlKind::LowThreshold),
    seconds<&Frag::ip6frag_time>("ipv6/ip6frag_time", 60),
    number<&Ct::acct>("netfilter/nf_conntrack_acct", 0, kFlag),
    number<&Ct::buckets>("netfilter/nf_conntrack_buckets", 16384, {1, kIntMax}, SysctlKind::Buckets),
    number<&Ct::checksum>("netfilter/nf_conntrack_checksum", 1, kFlag),
    {.name = "netfilter/nf_conntrack_count", .kind = SysctlKind::Count},
    number<&Ct::events>("netfilter/nf_conntrack_events", 1, {0, 2}),
    seconds<&Ct::events_retry_timeout>("netfilter/nf_conntrack_events_retry_timeout", 15),
    number<&Ct::expect_max>("netfilter/nf_conntrack_expect_max", 256, {1, kIntMax}),
    threshold<&Frag::frag6_high_thresh, &Frag::frag6_low_thresh>("netfilter/nf_conntrack_frag6_high_thresh", 4194304, SysctlKind::HighThreshold),
    threshold<&Frag::frag6_low_thresh, &Frag::frag6_high_thresh>("netfilter/nf_conntrack_frag6_low_thresh", 3145728, SysctlKind::LowThreshold),
    seconds<&Frag::frag6_timeout>("netfilter/nf_conntrack_frag6_timeout", 60),
    seconds<&Timeouts::generic>("netfilter/nf_conntrack_generic_timeout", 600),
    seconds<&Timeouts::gre>("netfilter/nf_conntrack_gre_timeout", 30),
    seconds<&Timeouts::gre_stream>("netfilter/nf_conntrack_gre_timeout_stream", 180),
    number<&Ct::helper>("netfilter/nf_conntrack_helper", 1, kFlag),
    seconds<&Timeouts::icmp>("netfilter/nf_conntrack_icmp_timeout", 30),
    seconds<&Timeouts::icmpv6>("netfilter/nf_conntrack_icmpv6_timeout", 30),
    number<&Ct::log_invalid>("netfilter/nf_conntrack_log_invalid", 0, {0, 255}),
    number<&Ct::max>("netfilter/nf_conntrack_max", 65536, {}, SysctlKind::Max),
    seconds<&Timeouts::sctp_closed>("netfilter/nf_conntrack_sctp_timeout_closed", 10),
    seconds<&Timeouts::sctp_cookie_echoed>("netfilter/nf_conntrack_sctp_timeout_cookie_echoed", 3),
    seconds<&Timeouts::sctp_cookie_wait>("netfilter/nf_conntrack_sctp_timeout_cookie_wait", 3),
    seconds<&Timeouts::sctp_established>("netfilter/nf_conntrack_sctp_timeout_established", 210),
    seconds<&Timeouts::sctp_heartbeat_sent>("netfilter/nf_conntrack_sctp_timeout_heartbeat_sent", 30),
    seconds<&Timeouts::sctp_shutdown_ack_sent>("netfilter/nf_conntrack_sctp_timeout_shutdown_ack_sent", 3),
    seconds<&Timeouts::sctp_shutdown_recd>("netfilter/nf_conntrack_sctp_timeout_shutdown_recd", 3),
    seconds<&Timeouts::sctp_shutdown_sent>("netfilter/nf_conntrack_sctp_timeout_shutdown_sent", 3),
    number<&Ct::tcp_be_liberal>("netfilter/nf_conntrack_tcp_be_liberal", 0, kFlag),
    number<&Ct::tcp_ignore_invalid_rst>("netfilter/nf_conntrack_tcp_ignore_invalid_rst", 0, kFlag),
    number<&Ct::tcp_loose>("netfilter/nf_conntrack_tcp_loose", 1, kFlag),
    number<&Ct::tcp_max_retrans>("netfilter/nf_conntrack_tcp_max_retrans", 3, {0, 255}),
    seconds<&Timeouts::tcp_close>("netfilter/nf_conntrack_tcp_timeout_close", 10),
    seconds<&Timeouts::tcp_close_wait>("netfilter/nf_conntrack_tcp_timeout_close_wait", 60),
    seconds<&Timeouts::tcp_established>("netfilter/nf_conntrack_tcp_timeout_established", 432000),
    seconds<&Timeouts::tcp_fin_wait>("netfilter/nf_conntrack_tcp_timeout_fin_wait", 120),
    seconds<&Timeouts::tcp_last_ack>("netfilter/nf_conntrack_tcp_timeout_last_ack", 30),
    seconds<&Timeouts::tcp_max_retrans>("netfilter/nf_conntrack_tcp_timeout_max_retrans", 300),
    seconds<&Timeouts::tcp_syn_recv>("netfilter/nf_conntrack_tcp_timeout_syn_recv", 60),
    seconds<&Timeouts::tcp_syn_sent>("netfilter/nf_conntrack_tcp_timeout_syn_sent", 120),
    seconds<&Timeouts::tcp_time_wait>("netfilter/nf_conntrack_tcp_timeout_time_wait", 120),
    seconds<&Timeouts::tcp_unacknowledged>("netfilter/nf_conntrack_tcp_timeout_unacknowledged", 300),
    number<&Ct::timestamp>("netfilter/nf_conntrack_timestamp", 0, kFlag),
    seconds<&Timeouts::udp>("netfilter/nf_conntrack_udp_timeout", 30),
    seconds<&Timeouts::udp_stream>("netfilter/nf_conntrack_udp_timeout_stream", 180),
    number<&Ct::max>("nf_conntrack_max", 65536, {}, SysctlKind::Max),
};
// clang-format on

}  // namespace

bool SysctlRow::needs_tracking() const {
    return name.find("nf_conntrack_") != std::string_view::npos;
}

std::span<const SysctlRow> sysctl_rows() {
    return kRows;
}

}  // namespace nsr::procfs
