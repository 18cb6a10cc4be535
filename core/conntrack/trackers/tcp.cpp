// TCP: classify, table, special cases, window, side effects, timeout. kernel:
// nf_conntrack_tcp_packet
#include <algorithm>
#include <iterator>

#include "core/conntrack/trackers/tcp_tracker.hpp"
#include "core/packet/checksum.hpp"

namespace nsr::conntrack {

namespace {

// By TcpConntrack.
constexpr std::uint32_t Timeouts::*kTimeouts[] = {
    &Timeouts::tcp_syn_sent,    &Timeouts::tcp_syn_sent,  &Timeouts::tcp_syn_recv,
    &Timeouts::tcp_established, &Timeouts::tcp_fin_wait,  &Timeouts::tcp_close_wait,
    &Timeouts::tcp_last_ack,    &Timeouts::tcp_time_wait, &Timeouts::tcp_close,
    &Timeouts::tcp_syn_sent2,
};
static_assert(std::size(kTimeouts) == static_cast<std::size_t>(TcpStep::SynSent2) + 1);

bool malformed(const Flow& flow, const wire::TcpView& tcp);

}  // namespace

TrackerVerdict judge_tcp(Flow& flow) {
    const auto tcp = wire::TcpView::parse(flow.l4());
    if (!tcp || malformed(flow, *tcp)) {
        return TrackerVerdict::Invalid;
    }
    const TcpSegment segment = segment_of(*tcp);
    return TcpTracker(flow, segment).judge();
}

namespace {

// kernel: tcp_error
bool malformed(const Flow& flow, const wire::TcpView& tcp) {
    const auto log = [&](const char* why) {
        flow.log.write(flow.packet, proto::kTcp, "%s", why);
        return true;
    };
    if (!tcp.data_offset_valid()) {
        return log("truncated packet");
    }
    if (flow.verify_checksum &&
        !checksum_right(flow.packet, whole_transport(flow.packet, proto::kTcp))) {
        return log("bad checksum");
    }
    if (!flags_possible(tcp.flags())) {
        return log("invalid tcp flag combination");
    }
    return false;
}

}  // namespace

TrackerVerdict TcpTracker::judge() {
    if (!flow_.confirmed() && !begin()) {
        return TrackerVerdict::Invalid;
    }
    old_ = static_cast<TcpConntrack>(tcp_.state);
    next_ = step(direction_, segment_.kind, old_);
    TcpPath path = classify();
    if (path == TcpPath::CheckWindow) {
        path = window();
    }
    switch (path) {
        case TcpPath::Pass:
            return TrackerVerdict::Accept;
        case TcpPath::Invalid:
            return TrackerVerdict::Invalid;
        case TcpPath::Reopen:
            return TrackerVerdict::Reopen;
        case TcpPath::CheckWindow:
        case TcpPath::SkipWindow:
            break;
    }
    return commit();
}

// kernel: tcp_new
bool TcpTracker::begin() {
    const TcpStep first = step(Direction::Original, segment_.kind, TcpConntrack::None);
    if (first == TcpStep::Invalid) {
        log("invalid new");
        return false;
    }
    if (first == TcpStep::SynSent) {
        begin_tracking(tcp_, segment_);
    } else if (flow_.settings.tcp_loose == 0) {
        flow_.log.note("it begins no connection");
        return false;
    } else {
        pick_up(tcp_, segment_);
    }
    tcp_.last_index = static_cast<std::uint8_t>(TcpKind::None);
    return true;
}

// What the table says, and the cases it cannot know.
TcpPath TcpTracker::classify() {
    switch (next_) {
        case TcpStep::SynSent:
            if (old_ < TcpConntrack::TimeWait) {
                return TcpPath::CheckWindow;
            }
            return reopens() ? TcpPath::Reopen : out_of_step();
        case TcpStep::Ignore:
            return out_of_step();
        case TcpStep::Invalid:
            flow_.log.write(flow_.packet, proto::kTcp,
                            "packet (index %d) in dir %d invalid, state %s",
                            static_cast<int>(segment_.kind), static_cast<int>(sender_), old_name());
            return TcpPath::Invalid;
        case TcpStep::TimeWait:
            // RFC 5961 4.2: an ACK in answer to a SYN does not acknowledge the last FIN.
            if (old_ == TcpConntrack::LastAck && segment_.kind == TcpKind::Ack &&
                tcp_.last_direction != sender_ && last_was(TcpKind::Syn) &&
                (tcp_.last_flags & tcp_flag::kExpectChallengeAck) != 0) {
                tcp_.last_flags &= static_cast<std::uint8_t>(~tcp_flag::kExpectChallengeAck);
                log("challenge-ack ignored");
                return TcpPath::Pass;
            }
            return TcpPath::CheckWindow;
        case TcpStep::SynSent2:
            tcp_.last_flags |= tcp_flag::kSimultaneousOpen;
            return TcpPath::CheckWindow;
        case TcpStep::SynRecv:
            if (direction_ == Direction::Reply && segment_.kind == TcpKind::Ack &&
                (tcp_.last_flags & tcp_flag::kSimultaneousOpen) != 0) {
                next_ = TcpStep::Established;
            }
            return TcpPath::CheckWindow;
        case TcpStep::Close:
            return segment_.kind == TcpKind::Rst ? reset() : TcpPath::CheckWindow;
        default:
            return TcpPath::CheckWindow;
    }
}

// May a SYN on this closed connection begin a new one? RFC 9293 3.6.1 sets conditions for
// TIME-WAIT, which only the end itself can judge.
bool TcpTracker::reopens() const {
    const bool closed_by_fin = ((tcp_.flags[0] | tcp_.flags[1]) & tcp_flag::kCloseInit) != 0;
    const bool aborted_by_sender = tcp_.last_direction == sender_ && last_was(TcpKind::Rst);
    return closed_by_fin || aborted_by_sender;
}

// A segment that does not fit what we know. The ends may be right and we wrong: it passes, and what
// it would mean is remembered, in case the other end agrees.
TcpPath TcpTracker::out_of_step() {
    if (answers_ignored_syn()) {
        resynchronise();
        return TcpPath::CheckWindow;
    }
    remember_ignored();
    flow_.log.write(flow_.packet, proto::kTcp, "packet (index %d) in dir %d ignored, state %s",
                    static_cast<int>(segment_.kind), static_cast<int>(sender_), old_name());
    return TcpPath::Pass;
}

bool TcpTracker::answers_ignored_syn() const {
    return segment_.kind == TcpKind::SynAck && last_was(TcpKind::Syn) &&
           tcp_.last_direction != sender_ && segment_.ack == tcp_.last_end;
}

// Both ends agree on a SYN that we ignored: what it said holds.
void TcpTracker::resynchronise() {
    old_ = TcpConntrack::SynSent;
    next_ = TcpStep::SynRecv;
    const std::size_t client = tcp_.last_direction;
    tcp_.seen[client].end = tcp_.last_end;
    tcp_.seen[client].max_end = tcp_.last_end;
    tcp_.seen[client].max_win = tcp_.last_win == 0 ? 1 : tcp_.last_win;
    tcp_.scale[client] = tcp_.last_wscale;
    tcp_.last_flags &= static_cast<std::uint8_t>(~tcp_flag::kExpectChallengeAck);
    tcp_.flags[client] = tcp_.last_flags;
    forget(tcp_, direction_);
}

void TcpTracker::remember_ignored() {
    tcp_.last_index = static_cast<std::uint8_t>(segment_.kind);
    tcp_.last_direction = static_cast<std::uint8_t>(direction_);
    tcp_.last_seq = segment_.seq;
    tcp_.last_end = segment_.end;
    tcp_.last_win = segment_.window;
    if (segment_.kind == TcpKind::Syn && direction_ == Direction::Original) {
        const TcpOffer offer = offer_of(segment_).value_or(TcpOffer{});
        tcp_.last_wscale = offer.scale;
        tcp_.last_flags = tcp_flag::bit_if(offer.scaling, tcp_flag::kWindowScale);
        tcp_.last_flags |= tcp_flag::bit_if(offer.sack, tcp_flag::kSackPermitted);
        // RFC 5961 4.2: the server may answer with a challenge ACK.
        tcp_.last_flags |=
            tcp_flag::bit_if(old_ == TcpConntrack::LastAck, tcp_flag::kExpectChallengeAck);
    }
    if (old_ == TcpConntrack::SynSent && segment_.kind == TcpKind::Ack &&
        direction_ == Direction::Reply) {
        tcp_.last_ack = segment_.ack;
    }
}

// kernel: tcp_in_window and what follows its answers
TcpPath TcpTracker::window() {
    if (synchronise(tcp_, direction_, segment_)) {
        return TcpPath::SkipWindow;
    }
    const WindowSegment seen = window_segment(tcp_, direction_, segment_, flow_.adjusts);
    const WindowCheck result = check(tcp_.seen[sender_], tcp_.seen[receiver_], seen);
    if (result.bound == WindowBound::Inside) {
        advance(tcp_, direction_, segment_, seen);
        return TcpPath::SkipWindow;
    }
    if (result.bound == WindowBound::Overshoot) {
        accept_overshoot(tcp_, direction_, seen);
    }
    const bool liberal =
        (tcp_.flags[sender_] & tcp_flag::kBeLiberal) != 0 || flow_.settings.tcp_be_liberal != 0;
    if (liberal) {
        return TcpPath::SkipWindow;
    }
    log_window(result);
    if (result.invalid()) {
        hasten_end();
        return TcpPath::Invalid;
    }
    return TcpPath::Pass;
}

void TcpTracker::log_window(const WindowCheck& result) const {
    const auto write = [&](const char* before_limit, const char* behind_limit) {
        flow_.log.write(flow_.packet, proto::kTcp, "%s%u%s", before_limit, result.limit,
                        behind_limit);
    };
    switch (result.bound) {
        case WindowBound::Inside:
            return;
        case WindowBound::Overshoot:
            return write("", " bytes more than expected");
        case WindowBound::AboveSequence:
            return write("SEQ is over upper bound ", " (over the window of the receiver)");
        case WindowBound::BelowSequence:
            return write("SEQ is under lower bound ", " (already ACKed data retransmitted)");
        case WindowBound::AboveAck:
            return write("ACK is over upper bound ", " (ACKed data not seen yet)");
        case WindowBound::BelowAck:
            return write("ignored ACK under lower bound ", " (possible overly delayed)");
    }
}

// The segment is believed.
TrackerVerdict TcpTracker::commit() {
    Connection& record = flow_.record;
    tcp_.last_index = static_cast<std::uint8_t>(segment_.kind);
    tcp_.last_direction = static_cast<std::uint8_t>(direction_);
    tcp_.state = static_cast<std::uint8_t>(next_);
    const bool changed = static_cast<TcpStep>(old_) != next_;
    flow_.events |= changed ? event::kProtoInfo : 0;
    if (changed && next_ == TcpStep::FinWait) {
        tcp_.flags[sender_] |= tcp_flag::kCloseInit;
    }
    std::uint32_t seconds = timeout();
    if (!record.has(status::kSeenReply)) {
        if (segment_.kind == TcpKind::Rst) {
            // Refused: there is no connection to keep.
            flow_.kill();
            return TrackerVerdict::Accept;
        }
        if (segment_.kind == TcpKind::Syn && old_ == TcpConntrack::SynSent) {
            // Repeating a SYN must not keep the tuple for ever.
            return TrackerVerdict::Accept;
        }
        if (next_ == TcpStep::Established) {
            seconds = std::min(seconds, flow_.timeouts.tcp_unacknowledged);
        }
    } else if (next_ == TcpStep::Established &&
               (old_ == TcpConntrack::SynRecv || old_ == TcpConntrack::Established)) {
        flow_.assure();
    }
    flow_.refresh(seconds);
    return TrackerVerdict::Accept;
}

std::uint32_t TcpTracker::timeout() const {
    const Timeouts& timeouts = flow_.timeouts;
    const std::uint32_t usual = timeout_of(next_);
    const bool unacknowledged =
        ((tcp_.flags[0] | tcp_.flags[1]) & tcp_flag::kDataUnacknowledged) != 0;
    if (tcp_.retransmits >= flow_.settings.tcp_max_retrans && usual > timeouts.tcp_max_retrans) {
        return timeouts.tcp_max_retrans;
    }
    if (segment_.kind == TcpKind::Rst) {
        return timeouts.tcp_close;
    }
    if (unacknowledged && usual > timeouts.tcp_unacknowledged) {
        return timeouts.tcp_unacknowledged;
    }
    if (tcp_.last_win == 0 && usual > timeouts.tcp_max_retrans) {
        return timeouts.tcp_max_retrans;
    }
    return usual;
}

std::uint32_t TcpTracker::timeout_of(TcpStep state) const {
    return flow_.timeouts.*kTimeouts[static_cast<std::size_t>(state)];
}

}  // namespace nsr::conntrack
