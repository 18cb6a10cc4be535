// Names of the states in the table (RFC 9260 4), and what we know of the two ends in them:
//
//   no  NONE               no association
//   cl  CLOSED             INIT seen in the original direction, or the association is over
//   cw  COOKIE_WAIT        INIT ACK seen in the reply direction
//   ce  COOKIE_ECHOED      COOKIE ECHO seen
//   es  ESTABLISHED        COOKIE ACK seen, or a heartbeat of a further path was answered
//   ss  SHUTDOWN_SENT      SHUTDOWN seen in the original direction
//   sr  SHUTDOWN_RECD      SHUTDOWN seen in the reply direction
//   sa  SHUTDOWN_ACK_SENT  SHUTDOWN ACK seen
//   hs  HEARTBEAT_SENT     HEARTBEAT seen on a path without handshake
//   iv  the chunk is INVALID here
#include "core/conntrack/trackers/sctp_table.hpp"

#include <array>
#include <cstddef>

namespace nsr::conntrack {

namespace {

// NOLINTBEGIN(readability-identifier-naming): as short as in the kernel, or there is no table
constexpr auto no = SctpConntrack::None;
constexpr auto cl = SctpConntrack::Closed;
constexpr auto cw = SctpConntrack::CookieWait;
constexpr auto ce = SctpConntrack::CookieEchoed;
constexpr auto es = SctpConntrack::Established;
constexpr auto ss = SctpConntrack::ShutdownSent;
constexpr auto sr = SctpConntrack::ShutdownRecd;
constexpr auto sa = SctpConntrack::ShutdownAckSent;
constexpr auto hs = SctpConntrack::HeartbeatSent;
constexpr auto iv = SctpConntrack::Max;
// NOLINTEND(readability-identifier-naming)

struct Row {
    std::uint8_t chunk;
    std::array<SctpConntrack, static_cast<std::size_t>(SctpConntrack::Max)> next;
};
using Half = std::array<Row, 11>;

// clang-format off
constexpr std::array<Half, 2> kTable = {{
    {{  // original direction
        //                                no  cl  cw  ce  es  ss  sr  sa  hs
        {sctp_chunk::kInit,             {{cl, cl, cw, ce, es, cl, cl, sa, cw}}},
        {sctp_chunk::kInitAck,          {{cl, cl, cw, ce, es, ss, sr, sa, cl}}},
        {sctp_chunk::kAbort,            {{cl, cl, cl, cl, cl, cl, cl, cl, cl}}},
        {sctp_chunk::kShutdown,         {{cl, cl, cw, ce, ss, ss, sr, sa, cl}}},
        {sctp_chunk::kShutdownAck,      {{sa, cl, cw, ce, es, sa, sa, sa, sa}}},
        {sctp_chunk::kError,            {{cl, cl, cw, ce, es, ss, sr, sa, cl}}},
        {sctp_chunk::kCookieEcho,       {{cl, cl, ce, ce, es, ss, sr, sa, cl}}},
        {sctp_chunk::kCookieAck,        {{cl, cl, cw, es, es, ss, sr, sa, cl}}},
        {sctp_chunk::kShutdownComplete, {{cl, cl, cw, ce, es, ss, sr, cl, cl}}},
        {sctp_chunk::kHeartbeat,        {{hs, cl, cw, ce, es, ss, sr, sa, hs}}},
        {sctp_chunk::kHeartbeatAck,     {{cl, cl, cw, ce, es, ss, sr, sa, hs}}},
    }},
    {{  // reply direction
        //                                no  cl  cw  ce  es  ss  sr  sa  hs
        {sctp_chunk::kInit,             {{iv, cl, cw, ce, es, ss, sr, sa, iv}}},
        {sctp_chunk::kInitAck,          {{iv, cw, cw, ce, es, ss, sr, sa, iv}}},
        {sctp_chunk::kAbort,            {{iv, cl, cl, cl, cl, cl, cl, cl, iv}}},
        {sctp_chunk::kShutdown,         {{iv, cl, cw, ce, sr, ss, sr, sa, iv}}},
        {sctp_chunk::kShutdownAck,      {{iv, cl, cw, ce, es, sa, sa, sa, iv}}},
        {sctp_chunk::kError,            {{iv, cl, cw, cl, es, ss, sr, sa, iv}}},
        {sctp_chunk::kCookieEcho,       {{iv, cl, ce, ce, es, ss, sr, sa, iv}}},
        {sctp_chunk::kCookieAck,        {{iv, cl, cw, es, es, ss, sr, sa, iv}}},
        {sctp_chunk::kShutdownComplete, {{iv, cl, cw, ce, es, ss, sr, cl, iv}}},
        {sctp_chunk::kHeartbeat,        {{iv, cl, cw, ce, es, ss, sr, sa, hs}}},
        {sctp_chunk::kHeartbeatAck,     {{iv, cl, cw, ce, es, ss, sr, sa, es}}},
    }},
}};
// clang-format on

constexpr bool none_is_never_reached() {
    for (const Half& half : kTable) {
        for (const Row& row : half) {
            for (const SctpConntrack next : row.next) {
                if (next == no) {
                    return false;
                }
            }
        }
    }
    return true;
}
static_assert(none_is_never_reached());

}  // namespace

SctpConntrack step(Direction direction, std::uint8_t chunk, SctpConntrack state) {
    for (const Row& row : kTable[static_cast<std::size_t>(direction)]) {
        if (row.chunk == chunk) {
            return row.next[static_cast<std::size_t>(state)];
        }
    }
    return state;
}

}  // namespace nsr::conntrack
