// The TCP state table: what a segment does to a connection, by direction, kind and state. kernel:
// tcp_conntracks
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/ct_info.hpp"
#include "core/conntrack/record/settings.hpp"

namespace nsr::conntrack {

// kernel: enum tcp_bit_set, same numbers
enum class TcpKind : std::uint8_t { Syn, SynAck, Fin, Ack, Rst, None };
inline constexpr std::size_t kTcpKinds = 6;
inline constexpr std::size_t kTcpStates = static_cast<std::size_t>(TcpConntrack::Max);

// The next state, with the numbers of TcpConntrack, or one of two answers that are no state.
enum class TcpStep : std::uint8_t {
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
    Invalid,  // the segment cannot belong here
    Ignore,   // may be right while we are out of step: let it pass, believe nothing
};

// `flags` as in the header. RST wins over SYN, SYN over FIN, FIN over ACK. kernel:
// get_conntrack_index
TcpKind kind_of(std::uint8_t flags);
// kernel: tcp_valid_flags
bool flags_possible(std::uint8_t flags);

// "SYN_SENT"; a literal. kernel: tcp_conntrack_names
std::string_view tcp_state_name(TcpConntrack state);

TcpStep step(Direction direction, TcpKind kind, TcpConntrack state);

}  // namespace nsr::conntrack
