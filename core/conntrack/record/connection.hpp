// Connection: one record of the connection table. kernel: struct nf_conn
//
// Two cache lines, trivially copyable, no pointers: it may lie in a mapped file. The first line is
// all that an established UDP packet touches; TCP's window state and the links of the timer wheel
// are the second. IPv6 addresses, accounting and what few flows need lie in side records (Extra),
// named by index.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "core/base/ct_info.hpp"
#include "core/base/ids.hpp"
#include "core/base/instant.hpp"
#include "core/wire/address.hpp"

namespace nsr::conntrack {

// kernel: enum ip_conntrack_status, the same bits
namespace status {
inline constexpr std::uint32_t kExpected = 1u << 0;
inline constexpr std::uint32_t kSeenReply = 1u << 1;
inline constexpr std::uint32_t kAssured = 1u << 2;
inline constexpr std::uint32_t kConfirmed = 1u << 3;
inline constexpr std::uint32_t kSrcNat = 1u << 4;
inline constexpr std::uint32_t kDstNat = 1u << 5;
// Ours: packets of one direction alone restart its timeout; see Conntrack::on_refresh. kernel: the
// bit of sequence adjustment, which is a side record here
inline constexpr std::uint32_t kOneWayRefresh = 1u << 6;
inline constexpr std::uint32_t kSrcNatDone = 1u << 7;
inline constexpr std::uint32_t kDstNatDone = 1u << 8;
inline constexpr std::uint32_t kDying = 1u << 9;
inline constexpr std::uint32_t kFixedTimeout = 1u << 10;
// Ours: it has to be accepted again before it goes on; see Conntrack::recheck. kernel: the bit of
// templates, which are no records here
inline constexpr std::uint32_t kRecheck = 1u << 11;
inline constexpr std::uint32_t kUntracked = 1u << 12;
inline constexpr std::uint32_t kHelper = 1u << 13;
// Ours: both tuples have one hash, and the index one reference for them.
inline constexpr std::uint32_t kOneReference = 1u << 14;
// Ours: what happens to it is told. kernel: it has a struct nf_conntrack_ecache
inline constexpr std::uint32_t kEvents = 1u << 15;
// Ours: the upper half is the IfIndex a connection was masqueraded behind, zero if it was not.
inline constexpr unsigned kMasqueradeShift = 16;
inline constexpr std::uint32_t kMasqueradeMask = 0xffffu << kMasqueradeShift;
inline constexpr std::uint32_t kNatMask = kSrcNat | kDstNat;
inline constexpr std::uint32_t kNatDoneMask = kSrcNatDone | kDstNatDone;
}  // namespace status

// The port-level half of a tuple as the record stores it; for IPv6 `source` and `destination` are
// zero here and the addresses are in V6Addresses.
struct StoredTuple {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
};
static_assert(sizeof(StoredTuple) == 12);

// kernel: struct ip_ct_tcp_state, one direction
struct TcpPeer {
    std::uint32_t end = 0;      // td_end: seq + len of the last segment sent
    std::uint32_t max_end = 0;  // td_maxend: max of ack + win granted by the other side
    std::uint32_t max_win = 0;  // td_maxwin
    std::uint32_t max_ack = 0;  // td_maxack
};

// kernel: struct ip_ct_tcp
struct TcpState {
    std::array<TcpPeer, 2> seen;
    std::array<std::uint8_t, 2> flags{};  // IP_CT_TCP_FLAG_*
    std::array<std::uint8_t, 2> scale{};  // window scale of each side
    std::uint8_t state = 0;               // TcpConntrack
    std::uint8_t last_direction = 0;
    std::uint8_t retransmits = 0;
    std::uint8_t last_index = 0;  // segment kind of the last packet
    std::uint32_t last_seq = 0;
    std::uint32_t last_ack = 0;
    std::uint32_t last_end = 0;
    std::uint16_t last_win = 0;
    std::uint8_t last_wscale = 0;
    std::uint8_t last_flags = 0;
};
static_assert(sizeof(TcpState) == 56);

// kernel: struct ip_ct_sctp
struct SctpState {
    std::uint8_t state = 0;
    std::uint8_t last_direction = 0;
    std::uint8_t flags = 0;
    std::uint8_t unused = 0;
    std::array<std::uint32_t, 2> vtag{};
    std::array<std::uint8_t, 2> init{};
};

// kernel: struct nf_ct_gre
struct GreState {
    std::uint32_t timeout = 0;         // seconds
    std::uint32_t stream_timeout = 0;  // seconds
};

union ProtocolState {
    TcpState tcp;
    SctpState sctp;
    GreState gre;
};

inline constexpr std::uint32_t kNoSide = 0;  // index 0 of every side arena is never handed out

struct alignas(64) Connection {
    // --- first line ---
    std::uint32_t commit = 0;  // valid, nonzero and last written iff the record lives; see Table
    StoredTuple original;
    StoredTuple reply;
    Family family = Family::None;
    std::uint8_t protocol = 0;
    Zone zone = 0;
    std::uint32_t status = 0;  // status::k*
    Mark mark = 0;
    Jiffies deadline = 0;           // once confirmed; before that: the timeout, as in the kernel
    std::uint32_t v6 = kNoSide;     // V6Addresses of both tuples, iff family is Ipv6
    std::uint32_t extra = kNoSide;  // Extra, iff anything in there is needed
    RuleId accepted_by = RuleId::None;    // the filter rule that let the first packet through
    RuleId translated_by = RuleId::None;  // the nat rule that chose the translation
    // UDP: jiffies from which a replied stream counts as assured (kernel: stream_ts).
    std::uint32_t assured_after = 0;

    // --- second line ---
    ProtocolState state{};
    std::uint32_t wheel_next = 0;
    std::uint32_t wheel_previous = 0;

    [[nodiscard]] bool has(std::uint32_t bits) const { return (status & bits) == bits; }
    [[nodiscard]] bool has_any(std::uint32_t bits) const { return (status & bits) != 0; }
    // kernel: struct nf_conn_nat, masq_index
    [[nodiscard]] IfIndex masqueraded_behind() const {
        return static_cast<IfIndex>(status >> status::kMasqueradeShift);
    }
    void set_masqueraded_behind(IfIndex interface) {
        status = (status & ~status::kMasqueradeMask) | static_cast<std::uint32_t>(raw(interface))
                                                           << status::kMasqueradeShift;
    }
};
static_assert(sizeof(Connection) == 128);
static_assert(std::is_trivially_copyable_v<Connection>);

struct V6Addresses {
    std::array<std::array<std::uint32_t, 4>, 4>
        words{};  // original source, destination, reply source, destination
};

struct Counter {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

inline constexpr std::int64_t kStampAtConfirm = -1;  // Extra::start_ns of an unconfirmed connection

// What few flows need.
struct Extra {
    std::array<Counter, 2> counters{};  // valid iff counting
    std::int64_t start_ns = 0;  // nf_conntrack_timestamp; 0: not stamped. Instant of confirm
    std::array<std::uint32_t, 4> labels{};
    std::uint32_t event_mask : 10 = 0;  // event::k* one of which must be among what is told; 0: any
    std::uint32_t cached_events : 12 = 0;  // event::k* of packets that were dropped. See EventCache
    std::uint32_t timeout_policy : 10 = 0;  // TimeoutPolicyId that it began with
    std::uint32_t counting : 1 = 0;         // accounting was on when the connection was made
    std::uint32_t zone_original : 1 = 1;    // does the record's zone count for this direction
    std::uint32_t zone_reply : 1 = 1;
    std::uint32_t help : 29 = kNoSide;  // Help, iff a helper or an expectation is about it
};
static_assert(std::is_trivially_copyable_v<Extra>);
static_assert(sizeof(Extra) == 64);

}  // namespace nsr::conntrack
