// Why a packet went no further. One table: the enumerator, the name users see in counters and
// traces, what the kernel would say, and a sentence that explains it. There is no other way to lose
// a packet: Verdict::drop() wants one of these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nsr {

enum class DropReason : std::uint8_t {
    // the IP header
    TooShort,
    BadVersion,
    BadHeaderLength,
    BadTotalLength,
    BadHeaderChecksum,
    BadOption,
    BadExtensionHeader,
    BadOffload,
    // the path
    SourceRouted,
    MartianSource,
    MartianDestination,
    ReversePathFilter,
    ForwardingDisabled,
    NoRoute,
    RouteBlackhole,
    RouteProhibited,
    RouteUnreachable,
    NotForwardable,
    TtlExpired,
    TooBig,
    InterfaceDown,
    // reassembly
    FragmentMalformed,
    FragmentOverlap,
    FragmentDuplicate,
    FragmentTimeout,
    FragmentTooLarge,
    FragmentMemory,
    FragmentEcn,
    // on the way to the shard that it belongs to
    ShardQueueFull,
    // connection tracking and NAT
    TableFull,
    TrackingFailed,
    ConfirmClash,
    NatUntranslatable,
    NatRefused,
    NatFiltered,
    NatSessionLimit,
    NatPortsUsedUp,
    HelperRefused,
    // rules
    RuleDrop,
    PolicyDrop,
    RuleReject,
    AwaitsRecheck,
    RulesExhausted,
    // the router as a host
    LocalMalformed,
    LocalNoListener,
    LocalNoProtocol,
    // leaving
    EgressQueueFull,
    EgressFailed,
    Count,
};

inline constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::Count);

struct DropReasonRow {
    DropReason reason;
    std::string_view name;         // snake_case: counter label, trace text
    std::string_view kernel;       // the nearest of enum skb_drop_reason
    std::string_view explanation;  // one sentence for people
};

// NOLINTNEXTLINE(readability-identifier-naming): a constant expression in its own file
extern const std::array<DropReasonRow, kDropReasonCount> kDropReasons;

std::string_view name_of(DropReason reason);
std::string_view explain(DropReason reason);

}  // namespace nsr
