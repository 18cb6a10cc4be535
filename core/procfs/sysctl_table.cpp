#include "core/procfs/sysctl_table.hpp"

#include <array>
#include <limits>

namespace nsr::procfs {

namespace {

using conntrack::Timeouts;
using DefragSettings = defrag::Settings;
using ConntrackSettings = conntrack::Settings;

constexpr std::int64_t kIntMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxSeconds = kIntMax / kJiffiesPerSecond;

template <auto kMember>
std::uint32_t& of_conntrack(Router& router) {
    return router.conntrack().settings().*kMember;
}
template <auto kMember>
std::uint32_t& of_timeouts(Router& router) {
    return router.conntrack().settings().timeouts.*kMember;
}
template <auto kMember>
auto& of_defrag(Router& router) {
    return router.defrag().settings().*kMember;
}
template <auto kMember>
auto& of_forwarding(Router& router) {
    return router.forwarding().*kMember;
}

template <auto kMember>
constexpr SysctlRow conntrack_number(std::string_view name, std::int64_t least, std::int64_t most) {
    return {.name = name, .least = least, .most = most, .value = &of_conntrack<kMember>};
}
template <auto kMember>
constexpr SysctlRow conntrack_seconds(std::string_view name) {
    return {.name = name,
            .kind = SysctlKind::Seconds,
            .least = -kMaxSeconds,
            .most = kMaxSeconds,
            .value = &of_timeouts<kMember>};
}
template <auto kMember>
constexpr SysctlRow defrag_seconds(std::string_view name) {
    return {.name = name,
            .kind = SysctlKind::Seconds,
            .least = -kMaxSeconds,
            .most = kMaxSeconds,
            .value = &of_defrag<kMember>};
}
template <auto kMember, auto kOther>
constexpr SysctlRow defrag_threshold(std::string_view name, SysctlKind kind) {
    return {.name = name,
            .kind = kind,
            .most = std::numeric_limits<std::int64_t>::max(),
            .threshold = &of_defrag<kMember>,
            .other = &of_defrag<kOther>};
}
template <auto kMember>
constexpr SysctlRow forwarding_number(std::string_view name, std::int64_t least,
                                      std::int64_t most) {
    return {.name = name, .least = least, .most = most, .value = &of_forwarding<kMember>};
}
template <auto kMember>
constexpr SysctlRow forwarding_milliseconds(std::string_view name) {
    return {.name = name,
            .kind = SysctlKind::Milliseconds,
            .most = kIntMax,
            .value = &of_forwarding<kMember>};
}
template <auto kMember>
constexpr SysctlRow interface_number(std::string_view name) {
    return {
        .name = name, .least = kIntMin, .most = kIntMax, .per_interface = &of_forwarding<kMember>};
}

// Ranges are the kernel's, asked of it.
// clang-format off
constexpr SysctlRow kRows[] = {
    interface_number<&ForwardingSettings::rp_filter>("ipv4/conf/*/rp_filter"),
    interface_number<&ForwardingSettings::send_redirects>("ipv4/conf/*/send_redirects"),
    forwarding_number<&ForwardingSettings::icmp_msgs_per_sec>("ipv4/icmp_msgs_per_sec", 0, kIntMax),
    forwarding_milliseconds<&ForwardingSettings::icmp_ratelimit>("ipv4/icmp_ratelimit"),
    forwarding_number<&ForwardingSettings::ip_default_ttl>("ipv4/ip_default_ttl", 1, 255),
    forwarding_number<&ForwardingSettings::ip_forward>("ipv4/ip_forward", kIntMin, kIntMax),
    defrag_threshold<&DefragSettings::ipfrag_high_thresh, &DefragSettings::ipfrag_low_thresh>("ipv4/ipfrag_high_thresh", SysctlKind::HighThreshold),
    defrag_threshold<&DefragSettings::ipfrag_low_thresh, &DefragSettings::ipfrag_high_thresh>("ipv4/ipfrag_low_thresh", SysctlKind::LowThreshold),
    {.name = "ipv4/ipfrag_max_dist", .most = kIntMax, .value = &of_defrag<&DefragSettings::ipfrag_max_dist>},
    defrag_seconds<&DefragSettings::ipfrag_time>("ipv4/ipfrag_time"),
    forwarding_number<&ForwardingSettings::ipv6_forwarding>("ipv6/conf/all/forwarding", kIntMin, kIntMax),
    forwarding_milliseconds<&ForwardingSettings::ipv6_icmp_ratelimit>("ipv6/icmp/ratelimit"),
    defrag_threshold<&DefragSettings::ip6frag_high_thresh, &DefragSettings::ip6frag_low_thresh>("ipv6/ip6frag_high_thresh", SysctlKind::HighThreshold),
    defrag_threshold<&DefragSettings::ip6frag_low_thresh, &DefragSettings::ip6frag_high_thresh>("ipv6/ip6frag_low_thresh", SysctlKind::LowThreshold),
    defrag_seconds<&DefragSettings::ip6frag_time>("ipv6/ip6frag_time"),
    conntrack_number<&ConntrackSettings::acct>("netfilter/nf_conntrack_acct", 0, 1),
    {.name = "netfilter/nf_conntrack_buckets", .kind = SysctlKind::Buckets, .least = 1, .most = kIntMax, .value = &of_conntrack<&ConntrackSettings::buckets>},
    conntrack_number<&ConntrackSettings::checksum>("netfilter/nf_conntrack_checksum", 0, 1),
    {.name = "netfilter/nf_conntrack_count", .kind = SysctlKind::Count},
    conntrack_number<&ConntrackSettings::events>("netfilter/nf_conntrack_events", 0, 2),
    {.name = "netfilter/nf_conntrack_events_retry_timeout", .kind = SysctlKind::Seconds, .least = -kMaxSeconds, .most = kMaxSeconds, .value = &of_conntrack<&ConntrackSettings::events_retry_timeout>},
    conntrack_number<&ConntrackSettings::expect_max>("netfilter/nf_conntrack_expect_max", 1, kIntMax),
    defrag_threshold<&DefragSettings::frag6_high_thresh, &DefragSettings::frag6_low_thresh>("netfilter/nf_conntrack_frag6_high_thresh", SysctlKind::HighThreshold),
    defrag_threshold<&DefragSettings::frag6_low_thresh, &DefragSettings::frag6_high_thresh>("netfilter/nf_conntrack_frag6_low_thresh", SysctlKind::LowThreshold),
    defrag_seconds<&DefragSettings::frag6_timeout>("netfilter/nf_conntrack_frag6_timeout"),
    conntrack_seconds<&Timeouts::generic>("netfilter/nf_conntrack_generic_timeout"),
    conntrack_seconds<&Timeouts::gre>("netfilter/nf_conntrack_gre_timeout"),
    conntrack_seconds<&Timeouts::gre_stream>("netfilter/nf_conntrack_gre_timeout_stream"),
    conntrack_number<&ConntrackSettings::helper>("netfilter/nf_conntrack_helper", 0, 1),
    conntrack_seconds<&Timeouts::icmp>("netfilter/nf_conntrack_icmp_timeout"),
    conntrack_seconds<&Timeouts::icmpv6>("netfilter/nf_conntrack_icmpv6_timeout"),
    conntrack_number<&ConntrackSettings::log_invalid>("netfilter/nf_conntrack_log_invalid", 0, 255),
    {.name = "netfilter/nf_conntrack_max", .kind = SysctlKind::Max, .most = kIntMax, .value = &of_conntrack<&ConntrackSettings::max>},
    conntrack_seconds<&Timeouts::sctp_closed>("netfilter/nf_conntrack_sctp_timeout_closed"),
    conntrack_seconds<&Timeouts::sctp_cookie_echoed>("netfilter/nf_conntrack_sctp_timeout_cookie_echoed"),
    conntrack_seconds<&Timeouts::sctp_cookie_wait>("netfilter/nf_conntrack_sctp_timeout_cookie_wait"),
    conntrack_seconds<&Timeouts::sctp_established>("netfilter/nf_conntrack_sctp_timeout_established"),
    conntrack_seconds<&Timeouts::sctp_heartbeat_sent>("netfilter/nf_conntrack_sctp_timeout_heartbeat_sent"),
    conntrack_seconds<&Timeouts::sctp_shutdown_ack_sent>("netfilter/nf_conntrack_sctp_timeout_shutdown_ack_sent"),
    conntrack_seconds<&Timeouts::sctp_shutdown_recd>("netfilter/nf_conntrack_sctp_timeout_shutdown_recd"),
    conntrack_seconds<&Timeouts::sctp_shutdown_sent>("netfilter/nf_conntrack_sctp_timeout_shutdown_sent"),
    conntrack_number<&ConntrackSettings::tcp_be_liberal>("netfilter/nf_conntrack_tcp_be_liberal", 0, 1),
    conntrack_number<&ConntrackSettings::tcp_ignore_invalid_rst>("netfilter/nf_conntrack_tcp_ignore_invalid_rst", 0, 1),
    conntrack_number<&ConntrackSettings::tcp_loose>("netfilter/nf_conntrack_tcp_loose", 0, 1),
    conntrack_number<&ConntrackSettings::tcp_max_retrans>("netfilter/nf_conntrack_tcp_max_retrans", 0, 255),
    conntrack_seconds<&Timeouts::tcp_close>("netfilter/nf_conntrack_tcp_timeout_close"),
    conntrack_seconds<&Timeouts::tcp_close_wait>("netfilter/nf_conntrack_tcp_timeout_close_wait"),
    conntrack_seconds<&Timeouts::tcp_established>("netfilter/nf_conntrack_tcp_timeout_established"),
    conntrack_seconds<&Timeouts::tcp_fin_wait>("netfilter/nf_conntrack_tcp_timeout_fin_wait"),
    conntrack_seconds<&Timeouts::tcp_last_ack>("netfilter/nf_conntrack_tcp_timeout_last_ack"),
    conntrack_seconds<&Timeouts::tcp_max_retrans>("netfilter/nf_conntrack_tcp_timeout_max_retrans"),
    conntrack_seconds<&Timeouts::tcp_syn_recv>("netfilter/nf_conntrack_tcp_timeout_syn_recv"),
    conntrack_seconds<&Timeouts::tcp_syn_sent>("netfilter/nf_conntrack_tcp_timeout_syn_sent"),
    conntrack_seconds<&Timeouts::tcp_time_wait>("netfilter/nf_conntrack_tcp_timeout_time_wait"),
    conntrack_seconds<&Timeouts::tcp_unacknowledged>("netfilter/nf_conntrack_tcp_timeout_unacknowledged"),
    conntrack_number<&ConntrackSettings::timestamp>("netfilter/nf_conntrack_timestamp", 0, 1),
    conntrack_seconds<&Timeouts::udp>("netfilter/nf_conntrack_udp_timeout"),
    conntrack_seconds<&Timeouts::udp_stream>("netfilter/nf_conntrack_udp_timeout_stream"),
    {.name = "nf_conntrack_max", .kind = SysctlKind::Max, .most = kIntMax, .value = &of_conntrack<&ConntrackSettings::max>},
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
