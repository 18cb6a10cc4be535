// Settings: what the sysctls say, as one value.
//
// Theory of operation
//   A sysctl (procfs/sysctl_table.cpp) names a member of this; to set one is to change a copy, and
//   Router::configure() takes the copy over between two batches. So a configuration is checked on a
//   value, without a router, and a value that was refused has changed nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/log.hpp"
#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/shard.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/defrag/defrag.hpp"
#include "core/pipeline/per_interface.hpp"

namespace nsr {

namespace pipeline {

// net.ipv4.*, net.ipv6.* that forwarding itself obeys. kernel: struct netns_ipv4, netns_ipv6
struct ForwardingSettings {
    std::uint32_t ip_default_ttl = 64;
    std::uint32_t icmp_ratelimit = 1000;  // ms between errors to one peer; 0: no limit
    std::uint32_t icmp_msgs_per_sec = 1000;
    std::uint32_t ipv6_icmp_ratelimit = 100;
    std::uint32_t fib_multipath_hash_policy = 0;  // routing::HashPolicy
    std::uint32_t ipv6_fib_multipath_hash_policy = 0;
    std::uint32_t icmp_echo_ignore_all = 0;
    std::uint32_t icmp_echo_ignore_broadcasts = 1;
    std::uint32_t ipv6_echo_ignore_all = 0;
    std::uint32_t ipv6_echo_ignore_anycast = 0;
    std::uint32_t ipv6_echo_ignore_multicast = 0;
    // conf.{all,default,IFACE}
    PerInterface ipv4_forwarding{1};  // ip_forward is that of "all"
    PerInterface ipv6_forwarding{1};
    PerInterface rp_filter;
    PerInterface send_redirects;
    PerInterface secure_redirects{1};
    PerInterface src_valid_mark;
    PerInterface accept_local;
    PerInterface route_localnet;
    PerInterface log_martians;
    PerInterface disable_ipv6;

    // To be told of an interface when it comes, and when it gets an IPv4 address. From the first
    // of these on it has its own value of what IPv6 says and of forwarding; from the moment when it
    // has an IPv4 address, of all others, too. kernel: inetdev_init, ipv4_devconf_setall
    void settle(IfIndex interface, bool has_ipv4_address);
    friend bool operator==(const ForwardingSettings&, const ForwardingSettings&) = default;
};

struct Settings {
    conntrack::Settings conntrack;
    defrag::Settings defrag;
    ForwardingSettings forwarding;

    friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace pipeline

// auto: tracking is on while a rule needs it
enum class TrackingMode : std::uint8_t { Auto, On, Off };
inline constexpr std::array<std::string_view, 3> kTrackingModeNames = {"auto", "on", "off"};

constexpr std::string_view name_of(TrackingMode mode) {
    return kTrackingModeNames[static_cast<std::size_t>(mode)];
}

// What a router begins with.
struct RouterOptions {
    std::uint64_t seed = 1;                 // of all randomness that can show in packets
    std::optional<std::uint64_t> key_seed;  // of hash keys; nothing: follows from `seed`
    pipeline::Settings settings;
    TrackingMode tracking = TrackingMode::Auto;
    std::size_t records = 4096;     // of packets that went wrong; see Recorder
    std::size_t history_bytes = 0;  // for the last packets of all; see History
    LogSink* log = nullptr;         // must outlive the router
    // Of the connection table; dies with the router, after the last record. Null: anonymous.
    std::unique_ptr<conntrack::Memory> memory;
    conntrack::ShardPlace shard;  // of several routers that share the flows; see Shard
};

}  // namespace nsr
