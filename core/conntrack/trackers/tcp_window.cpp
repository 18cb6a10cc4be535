#include "core/conntrack/trackers/tcp_window.hpp"

#include <algorithm>

namespace nsr::conntrack {

namespace {

// kernel: MAXACKWINCONST
constexpr std::uint32_t kLeastAckWindow = 66000;

using wire::tcp::kAck;
using wire::tcp::kRst;
using wire::tcp::kSyn;

// A window of 0 is no "unknown", which max_win 0 stands for.
constexpr std::uint32_t known(std::uint32_t window) {
    return window == 0 ? 1 : window;
}

void take_offer(TcpState& tcp, Direction direction, const TcpSegment& segment);
void begin_peer(TcpState& tcp, Direction direction, const TcpSegment& syn);
void join_peer(TcpState& tcp, Direction direction, const TcpSegment& segment);
void note_repetition(TcpState& tcp, Direction direction, const TcpSegment& segment,
                     const WindowSegment& window);

}  // namespace

void begin_tracking(TcpState& tcp, const TcpSegment& syn) {
    tcp = TcpState{};
    tcp.seen[0].end = syn.end;
    tcp.seen[0].max_end = syn.end;
    tcp.seen[0].max_win = known(syn.window);
    take_offer(tcp, Direction::Original, syn);
}

// Scale factors are unknown in the middle of a connection: no bound can be trusted.
void pick_up(TcpState& tcp, const TcpSegment& segment) {
    tcp = TcpState{};
    tcp.seen[0].end = segment.end;
    tcp.seen[0].max_win = known(segment.window);
    tcp.seen[0].max_end = segment.end + tcp.seen[0].max_win;
    tcp.flags[0] = tcp.flags[1] = tcp_flag::kSackPermitted | tcp_flag::kBeLiberal;
}

bool synchronise(TcpState& tcp, Direction direction, const TcpSegment& segment) {
    const TcpPeer& sender = tcp.seen[index_of(direction)];
    const bool syn = segment.has(kSyn);
    if (sender.max_win == 0) {
        if (!syn) {
            join_peer(tcp, direction, segment);
            return false;
        }
        begin_peer(tcp, direction, segment);
        return !segment.has(kAck);  // simultaneous open
    }
    const auto state = static_cast<TcpConntrack>(tcp.state);
    const bool opening = state == TcpConntrack::SynSent || state == TcpConntrack::SynRecv;
    if (syn && opening && after(segment.end, sender.end)) {
        // RFC 9293 3.4.3: the end was restarted and uses a higher initial sequence number.
        begin_peer(tcp, direction, segment);
        return direction == Direction::Reply && !segment.has(kAck);
    }
    return false;
}

WindowSegment window_segment(const TcpState& tcp, Direction direction, const TcpSegment& segment,
                             const SequenceAdjusts* adjusts) {
    const TcpPeer& sender = tcp.seen[index_of(direction)];
    const TcpPeer& receiver = tcp.seen[index_of(opposite(direction))];
    WindowSegment window{segment.seq, segment.end, segment.ack, segment.ack};
    const bool rst = segment.has(kRst);
    // Some stacks set ACK in a RST and leave the number 0.
    const bool acknowledges = segment.has(kAck) && !(rst && segment.ack == 0);
    if (!acknowledges) {
        window.ack = window.sack = receiver.end;
    } else if ((tcp.flags[index_of(opposite(direction))] & tcp_flag::kSackPermitted) != 0) {
        window.sack = highest_acknowledged(segment);
    }
    if (acknowledges && adjusts != nullptr) {
        const std::uint32_t offset =
            (*adjusts)[index_of(opposite(direction))].offset_at(segment.ack - 1);
        window.ack -= offset;
        window.sack -= offset;
    }
    const bool answers_syn = static_cast<TcpConntrack>(tcp.state) == TcpConntrack::SynSent;
    if (rst && segment.seq == 0 && answers_syn) {
        window.seq = window.end = sender.end;
    }
    return window;
}

WindowCheck check(const TcpPeer& sender, const TcpPeer& receiver, const WindowSegment& window) {
    const std::uint32_t upper_seq = sender.max_end + 1;
    const std::uint32_t lower_seq = sender.end - receiver.max_win - 1;
    const std::uint32_t upper_ack = receiver.end + 1;
    const std::uint32_t lower_ack = receiver.end - std::max(sender.max_win, kLeastAckWindow) - 1;
    if (!before(window.seq, upper_seq)) {
        const std::uint32_t overshoot = window.end - sender.max_end + 1;
        const bool tolerable = receiver.max_win != 0 && after(window.end, lower_seq) &&
                               overshoot <= receiver.max_win && after(window.sack, lower_ack) &&
                               before(window.sack, upper_ack);
        return tolerable ? WindowCheck{WindowBound::Overshoot, overshoot}
                         : WindowCheck{WindowBound::AboveSequence, upper_seq};
    }
    if (!before(window.sack, upper_ack)) {
        return {WindowBound::AboveAck, upper_ack};
    }
    if (receiver.max_win != 0 && !after(window.end, lower_seq)) {
        return {WindowBound::BelowSequence, lower_seq};
    }
    if (!after(window.sack, lower_ack)) {
        return {WindowBound::BelowAck, lower_ack};
    }
    return {};
}

void accept_overshoot(TcpState& tcp, Direction direction, const WindowSegment& window) {
    tcp.seen[index_of(direction)].end = window.end;
    tcp.flags[index_of(direction)] |= tcp_flag::kDataUnacknowledged;
}

void advance(TcpState& tcp, Direction direction, const TcpSegment& segment,
             const WindowSegment& window) {
    TcpPeer& sender = tcp.seen[index_of(direction)];
    TcpPeer& receiver = tcp.seen[index_of(opposite(direction))];
    std::uint8_t& sender_flags = tcp.flags[index_of(direction)];
    // RFC 7323 2.2: the window of a SYN is never scaled.
    const std::uint32_t granted = segment.has(kSyn) ? segment.window
                                                    : std::uint32_t{segment.window}
                                                          << tcp.scale[index_of(direction)];

    sender.max_win = std::max(sender.max_win, granted + (window.sack - window.ack));
    if (after(window.end, sender.end)) {
        sender.end = window.end;
        sender_flags |= tcp_flag::kDataUnacknowledged;
    }
    if (segment.has(kAck)) {
        if ((sender_flags & tcp_flag::kMaxAckSet) == 0 || after(window.ack, sender.max_ack)) {
            sender.max_ack = window.ack;
        }
        sender_flags |= tcp_flag::kMaxAckSet;
    }

    if (receiver.max_win != 0 && after(window.end, sender.max_end)) {
        receiver.max_win += window.end - sender.max_end;
    }
    if (after(window.sack + granted, receiver.max_end - 1)) {
        // A closed window is probed with one octet.
        receiver.max_end = window.sack + granted + (granted == 0 ? 1 : 0);
    }
    if (window.ack == receiver.end) {
        tcp.flags[index_of(opposite(direction))] &=
            static_cast<std::uint8_t>(~tcp_flag::kDataUnacknowledged);
    }
    if (segment.kind == TcpKind::Ack) {
        note_repetition(tcp, direction, segment, window);
    }
}

void forget(TcpState& tcp, Direction direction) {
    tcp.seen[index_of(direction)] = TcpPeer{};
    tcp.scale[index_of(direction)] = 0;
    tcp.flags[index_of(direction)] &= tcp_flag::kBeLiberal;
}

namespace {

void take_offer(TcpState& tcp, Direction direction, const TcpSegment& segment) {
    const auto offer = offer_of(segment);
    if (!offer) {
        return;
    }
    std::uint8_t& flags = tcp.flags[index_of(direction)];
    flags &= tcp_flag::kBeLiberal;
    flags |= tcp_flag::bit_if(offer->sack, tcp_flag::kSackPermitted);
    flags |= tcp_flag::bit_if(offer->scaling, tcp_flag::kWindowScale);
    tcp.scale[index_of(direction)] = offer->scale;
}

// kernel: tcp_init_sender
void begin_peer(TcpState& tcp, Direction direction, const TcpSegment& syn) {
    TcpPeer& sender = tcp.seen[index_of(direction)];
    sender.end = syn.end;
    sender.max_end = syn.end;
    sender.max_win = known(syn.window);
    take_offer(tcp, direction, syn);
    // RFC 7323 1.3: both must offer scaling, or neither uses it.
    const bool both_scale = (tcp.flags[0] & tcp.flags[1] & tcp_flag::kWindowScale) != 0;
    if (direction == Direction::Reply && !both_scale) {
        tcp.scale = {};
    }
}

// The first segment of an end whose beginning we did not see.
void join_peer(TcpState& tcp, Direction direction, const TcpSegment& segment) {
    TcpPeer& sender = tcp.seen[index_of(direction)];
    TcpPeer& receiver = tcp.seen[index_of(opposite(direction))];
    const std::uint8_t receiver_flags = tcp.flags[index_of(opposite(direction))];
    const std::uint32_t sack = (receiver_flags & tcp_flag::kSackPermitted) != 0
                                   ? highest_acknowledged(segment)
                                   : segment.ack;
    sender.end = segment.end;
    sender.max_win = known(std::uint32_t{segment.window} << tcp.scale[index_of(direction)]);
    sender.max_end = segment.end + sender.max_win;
    if (receiver.max_win == 0) {
        receiver.end = receiver.max_end = sack;
    } else if (sack == receiver.end + 1) {
        ++receiver.end;  // likely the answer to a keep-alive
    }
}

// The same segment again and again: the other end does not answer.
void note_repetition(TcpState& tcp, Direction direction, const TcpSegment& segment,
                     const WindowSegment& window) {
    const auto sender = static_cast<std::uint8_t>(direction);
    const bool again = tcp.last_direction == sender && tcp.last_seq == window.seq &&
                       tcp.last_ack == window.ack && tcp.last_end == window.end &&
                       tcp.last_win == segment.window;
    if (again) {
        ++tcp.retransmits;
        return;
    }
    tcp.last_direction = sender;
    tcp.last_seq = window.seq;
    tcp.last_ack = window.ack;
    tcp.last_end = window.end;
    tcp.last_win = segment.window;
    tcp.retransmits = 0;
}

}  // namespace

}  // namespace nsr::conntrack
