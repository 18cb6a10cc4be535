// TCP window tracking: is a segment one that its receiver would take?
//
// Theory of operation
//   For each end we keep (TcpPeer): `end`, behind the last octet it sent; `max_end`, the highest
//   octet it may send (the largest ack + window of the other end); `max_win`, the largest window
//   it ever offered; `max_ack`, the highest acknowledgment it sent. A segment of `sender` lies
//   inside if all four bounds hold, of which the lower ones are told apart only so that old
//   duplicates change nothing:
//
//              II                                 end                      I
//     ----------|==================================|========================|------------- seq
//               sender.end - receiver.max_win      sent so far              sender.max_end
//
//              IV                                                III
//     ----------|=================================================|------------------------ ack
//               receiver.end - the largest of 66000 and           receiver.end: acknowledging
//               sender.max_win                                    what was never sent is wrong
//
//   Data that begins above I but ends less than one receive window above it passes, too, because
//   some senders overrun a window by a little; nothing else is learned from it.
//   synchronise() makes sense of the first segments of each end, check() judges and changes
//   nothing, advance() learns. Based on "Real Stateful TCP Packet Filtering in IP Filter" by Guido
//   van Rooij, as the kernel is.
// kernel: tcp_in_window, tcp_init_sender; RFC 7323 for scaling
#pragma once

#include <cstdint>

#include "core/base/ct_info.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/record/sequence_adjust.hpp"
#include "core/conntrack/trackers/tcp_segment.hpp"

namespace nsr::conntrack {

// kernel: IP_CT_TCP_FLAG_*, IP_CT_EXP_CHALLENGE_ACK, IP_CT_TCP_SIMULTANEOUS_OPEN
namespace tcp_flag {
inline constexpr std::uint8_t kWindowScale = 0x01;
inline constexpr std::uint8_t kSackPermitted = 0x02;
inline constexpr std::uint8_t kCloseInit = 0x04;  // this end sent the first FIN
inline constexpr std::uint8_t kBeLiberal = 0x08;
inline constexpr std::uint8_t kDataUnacknowledged = 0x10;
inline constexpr std::uint8_t kMaxAckSet = 0x20;
inline constexpr std::uint8_t kExpectChallengeAck = 0x40;  // in last_flags only
inline constexpr std::uint8_t kSimultaneousOpen = 0x80;    // in last_flags only

constexpr std::uint8_t bit_if(bool condition, std::uint8_t bit) {
    return condition ? bit : std::uint8_t{0};
}
}  // namespace tcp_flag

enum class WindowBound : std::uint8_t {
    Inside,
    Overshoot,      // above I by less than a window: passes, and counts as sent
    AboveSequence,  // I
    BelowSequence,  // II
    AboveAck,       // III
    BelowAck,       // IV
};

struct WindowCheck {
    WindowBound bound = WindowBound::Inside;
    std::uint32_t limit = 0;  // the bound that was violated; for Overshoot, by how much

    // Old duplicates and small overruns pass; the rest cannot be right.
    [[nodiscard]] bool invalid() const {
        return bound == WindowBound::AboveSequence || bound == WindowBound::AboveAck;
    }
};

// The segment as the window sees it: `ack` and `sack` are what it acknowledges, made up where it
// acknowledges nothing.
struct WindowSegment {
    std::uint32_t seq = 0;
    std::uint32_t end = 0;
    std::uint32_t ack = 0;
    std::uint32_t sack = 0;
};

// The first segment of a connection: a SYN, or one from the middle of it (tcp_loose).
void begin_tracking(TcpState& tcp, const TcpSegment& syn);
void pick_up(TcpState& tcp, const TcpSegment& segment);

// Learns from a segment where its sender stands, if that is not known yet or begins anew. True:
// there is nothing to check in this segment.
bool synchronise(TcpState& tcp, Direction direction, const TcpSegment& segment);
// `adjusts`: what NAT did to the numbers of the two ends; null: nothing.
[[nodiscard]] WindowSegment window_segment(const TcpState& tcp, Direction direction,
                                           const TcpSegment& segment,
                                           const SequenceAdjusts* adjusts);
[[nodiscard]] WindowCheck check(const TcpPeer& sender, const TcpPeer& receiver,
                                const WindowSegment& window);
// An overshooting segment counts as sent, so that its acknowledgment will be right.
void accept_overshoot(TcpState& tcp, Direction direction, const WindowSegment& window);
// What a segment inside the window tells. Precondition: check() says Inside.
void advance(TcpState& tcp, Direction direction, const TcpSegment& segment,
             const WindowSegment& window);
// Forgets one end, except that it is to be judged liberally. kernel: nf_ct_tcp_state_reset
void forget(TcpState& tcp, Direction direction);

}  // namespace nsr::conntrack
