// The SCTP state table: what a chunk does to an association, by direction, chunk and state.
// kernel: sctp_conntracks
#pragma once

#include <cstdint>

#include "core/base/ct_info.hpp"
#include "core/conntrack/record/settings.hpp"

namespace nsr::conntrack {

// RFC 9260 3.2
namespace sctp_chunk {
inline constexpr std::uint8_t kData = 0;
inline constexpr std::uint8_t kInit = 1;
inline constexpr std::uint8_t kInitAck = 2;
inline constexpr std::uint8_t kHeartbeat = 4;
inline constexpr std::uint8_t kHeartbeatAck = 5;
inline constexpr std::uint8_t kAbort = 6;
inline constexpr std::uint8_t kShutdown = 7;
inline constexpr std::uint8_t kShutdownAck = 8;
inline constexpr std::uint8_t kError = 9;
inline constexpr std::uint8_t kCookieEcho = 10;
inline constexpr std::uint8_t kCookieAck = 11;
inline constexpr std::uint8_t kShutdownComplete = 14;
}  // namespace sctp_chunk

// The state after `chunk`; SctpConntrack::Max means that the chunk cannot belong here. Chunks that
// are not in the table (DATA, SACK, ...) leave the state as it is.
SctpConntrack step(Direction direction, std::uint8_t chunk, SctpConntrack state);

}  // namespace nsr::conntrack
