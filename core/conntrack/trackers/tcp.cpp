// TCP: classify, table, special cases, window, side effects, timeout. kernel:
// nf_conntrack_tcp_packet
#include <algorithm>
#include <iterator>

#include "core/conntrack/trackers/protocol.hpp"
#include "core/conntrack/trackers/tcp_segment.hpp"
#include "core/conntrack/trackers/tcp_table.hpp"
#include "core/conntrack/trackers/tcp_window.hpp"

namespace nsr::conntrack {

namespace {

constexpr std::uint32_t kSynSent2Seconds = 120;  // the one state without a sysctl

// By TcpConntrack, up to the state without one.
constexpr std::uint32_t Timeouts::*kTimeouts[] = {
    &Timeouts::tcp_syn_sent,    &Timeouts::tcp_syn_sent,  &Timeouts::tcp_syn_recv,
    &Timeouts::tcp_established, &Timeouts::tcp_fin_wait,  &Timeouts::tcp_close_wait,
    &Timeouts::tcp_last_ack,    &Timeouts::tcp_time_wait, &Timeouts::tcp_close,
};
static_assert(std::size(kTimeouts) == static_cast<std::size_t>(TcpStep::SynSent2));

// What is to be done with a segment after the table and its special cases.
enum class Path : std::uint8_t {
    CheckWindow,
    SkipWindow,  // believed without looking at its numbers
    Pass,        // let through, nothing learned
    Invalid,
    Reopen,
};

class TcpTracker {
  public:
    TcpTracker(Flow& flow, const TcpSegment& segment)
        : flow_(flow),
          tcp_(flow.record.state.tcp),
          segment_(segment),
          direction_(flow.direction()),
          sender_(index_of(direction_)),
          receiver_(index_of(opposite(direction_))) {}

    TrackerVerdict judge();

  private:
    bool begin();
    Path classify();
    [[nodiscard]] bool reopens() const;
    Path out_of_step();
    [[nodiscard]] bool answers_ignored_syn() const;
    void resynchronise();
    void note_ignored();
    Path reset();
    [[nodiscard]] bool closing() const;
    [[nodiscard]] bool established() const;
    bool reset_is_exact(std::uint32_t expected) const;
    [[nodiscard]] bool resets_ignored_segment() const;
    Path window();
    void log_window(const WindowCheck& check) const;
    void hasten_end();
    TrackerVerdict commit();
    [[nodiscard]] std::uint32_t timeout() const;
    [[nodiscard]] std::uint32_t timeout_of(TcpStep state) const;
    [[nodiscard]] const char* old_name() const { return tcp_state_name(old_).data(); }
    void log(const char* why) const { flow_.log.write(flow_.packet, proto::kTcp, "%s", why); }
    [[nodiscard]] bool last_was(TcpKind kind) const {
        return static_cast<TcpKind>(tcp_.last_index) == kind;
    }

    Flow& flow_;
    TcpState& tcp_;
    const TcpSegment& segment_;
    const Direction direction_;
    const std::size_t sender_;
    const std::size_t receiver_;
    TcpConntrack old_ = TcpConntrack::None;
    TcpStep next_ = TcpStep::None;
};

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
    if (flow.verify_checksum && !checksum_right(flow.packet, proto::kTcp)) {
        return log("bad checksum");
    }
    if (!flags_possible(tcp.flags())) {
        return log("invalid tcp flag combination");
    }
    return false;
}

TrackerVerdict TcpTracker::judge() {
    if (!flow_.confirmed() && !begin()) {
        return TrackerVerdict::Invalid;
    }
    old_ = static_cast<TcpConntrack>(tcp_.state);
    next_ = step(direction_, segment_.kind, old_);
    Path path = classify();
    if (path == Path::CheckWindow) {
        path = window();
    }
    switch (path) {
        case Path::Pass:
            return TrackerVerdict::Accept;
        case Path::Invalid:
            return TrackerVerdict::Invalid;
        case Path::Reopen:
            return TrackerVerdict::Reopen;
        case Path::CheckWindow:
        case Path::SkipWindow:
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
        return false;
    } else {
        pick_up(tcp_, segment_);
    }
    tcp_.last_index = static_cast<std::uint8_t>(TcpKind::None);
    return true;
}

// What the table says, and the cases it cannot know.
Path TcpTracker::classify() {
    switch (next_) {
        case TcpStep::SynSent:
            if (old_ < TcpConntrack::TimeWait) {
                return Path::CheckWindow;
            }
            return reopens() ? Path::Reopen : out_of_step();
        case TcpStep::Ignore:
            return out_of_step();
        case TcpStep::Invalid:
            flow_.log.write(flow_.packet, proto::kTcp,
                            "packet (index %d) in dir %d invalid, state %s",
                            static_cast<int>(segment_.kind), static_cast<int>(sender_), old_name());
            return Path::Invalid;
        case TcpStep::TimeWait:
            // RFC 5961 4.2: an ACK in answer to a SYN does not acknowledge the last FIN.
            if (old_ == TcpConntrack::LastAck && segment_.kind == TcpKind::Ack &&
                tcp_.last_direction != sender_ && last_was(TcpKind::Syn) &&
                (tcp_.last_flags & tcp_flag::kExpectChallengeAck) != 0) {
                tcp_.last_flags &= static_cast<std::uint8_t>(~tcp_flag::kExpectChallengeAck);
                log("challenge-ack ignored");
                return Path::Pass;
            }
            return Path::CheckWindow;
        case TcpStep::SynSent2:
            tcp_.last_flags |= tcp_flag::kSimultaneousOpen;
            return Path::CheckWindow;
        case TcpStep::SynRecv:
            if (direction_ == Direction::Reply && segment_.kind == TcpKind::Ack &&
                (tcp_.last_flags & tcp_flag::kSimultaneousOpen) != 0) {
                next_ = TcpStep::Established;
            }
            return Path::CheckWindow;
        case TcpStep::Close:
            return segment_.kind == TcpKind::Rst ? reset() : Path::CheckWindow;
        default:
            return Path::CheckWindow;
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
Path TcpTracker::out_of_step() {
    if (answers_ignored_syn()) {
        resynchronise();
        return Path::CheckWindow;
    }
    note_ignored();
    flow_.log.write(flow_.packet, proto::kTcp, "packet (index %d) in dir %d ignored, state %s",
                    static_cast<int>(segment_.kind), static_cast<int>(sender_), old_name());
    return Path::Pass;
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

void TcpTracker::note_ignored() {
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

// Which RSTs are believed. RFC 5961 3.2: an ESTABLISHED connection only by an exact one.
Path TcpTracker::reset() {
    if (closing()) {
        // The tuple may be in use again; nothing we know is current.
        return Path::SkipWindow;
    }
    const bool receiver_acked = (tcp_.flags[receiver_] & tcp_flag::kMaxAckSet) != 0;
    if (receiver_acked && !last_was(TcpKind::Syn)) {
        const std::uint32_t expected = tcp_.seen[receiver_].max_ack;
        if (segment_.seq == 0 && !established()) {
            return Path::CheckWindow;
        }
        if (before(segment_.seq, expected) && flow_.settings.tcp_ignore_invalid_rst == 0) {
            log("invalid rst");
            return Path::Invalid;
        }
        if (reset_is_exact(expected)) {
            return Path::CheckWindow;
        }
        next_ = static_cast<TcpStep>(old_);
    }
    return resets_ignored_segment() ? Path::SkipWindow : Path::CheckWindow;
}

// kernel: tcp_can_early_drop
bool TcpTracker::closing() const {
    switch (old_) {
        case TcpConntrack::FinWait:
        case TcpConntrack::LastAck:
        case TcpConntrack::TimeWait:
        case TcpConntrack::Close:
        case TcpConntrack::CloseWait:
            return true;
        default:
            return false;
    }
}

// kernel: nf_conntrack_tcp_established
bool TcpTracker::established() const {
    return old_ == TcpConntrack::Established && flow_.record.has(status::kAssured);
}

bool TcpTracker::reset_is_exact(std::uint32_t expected) const {
    const bool behind_own_data =
        last_was(TcpKind::Ack) && tcp_.last_direction == sender_ && segment_.seq == tcp_.last_end;
    return !established() || segment_.seq == expected || behind_own_data;
}

// The other end rejects what we let through in out_of_step().
bool TcpTracker::resets_ignored_segment() const {
    const std::uint32_t bits = flow_.record.status;
    const bool syn = (bits & status::kSeenReply) != 0 && last_was(TcpKind::Syn) &&
                     tcp_.last_direction != sender_;
    const bool ack = (bits & status::kAssured) == 0 && last_was(TcpKind::Ack);
    if ((syn || ack) && segment_.ack == tcp_.last_end) {
        return true;
    }
    return old_ == TcpConntrack::SynSent && last_was(TcpKind::Ack) &&
           tcp_.last_direction == index_of(Direction::Reply) && segment_.seq == tcp_.last_ack;
}

// kernel: tcp_in_window and what follows its answers
Path TcpTracker::window() {
    if (synchronise(tcp_, direction_, segment_)) {
        return Path::SkipWindow;
    }
    const WindowSegment seen = window_segment(tcp_, direction_, segment_);
    const WindowCheck result = check(tcp_.seen[sender_], tcp_.seen[receiver_], seen);
    if (result.bound == WindowBound::Inside) {
        advance(tcp_, direction_, segment_, seen);
        return Path::SkipWindow;
    }
    if (result.bound == WindowBound::Overshoot) {
        accept_overshoot(tcp_, direction_, seen);
    }
    const bool liberal =
        (tcp_.flags[sender_] & tcp_flag::kBeLiberal) != 0 || flow_.settings.tcp_be_liberal != 0;
    if (liberal) {
        return Path::SkipWindow;
    }
    log_window(result);
    if (result.invalid()) {
        hasten_end();
        return Path::Invalid;
    }
    return Path::Pass;
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

// FIN or RST out of the window, and answered by another: the connection is likely dead and we have
// lost track of it. Do not keep it for days. kernel: nf_tcp_handle_invalid
void TcpTracker::hasten_end() {
    constexpr std::uint32_t kShortSeconds = 120;
    Connection& record = flow_.record;
    const bool ends = segment_.kind == TcpKind::Rst || segment_.kind == TcpKind::Fin;
    if (!ends || !record.has(status::kAssured) || record.has(status::kFixedTimeout)) {
        return;
    }
    const bool answered =
        tcp_.last_direction != sender_ && (last_was(TcpKind::Fin) || last_was(TcpKind::Rst));
    if (!answered) {
        tcp_.last_index = static_cast<std::uint8_t>(segment_.kind);
        tcp_.last_direction = static_cast<std::uint8_t>(direction_);
        return;
    }
    const std::int32_t left = jiffies_until(record.deadline, flow_.now);
    const Jiffies timeout = jiffies_of(flow_.timeouts.tcp_unacknowledged);
    if (left < static_cast<std::int32_t>(jiffies_of(kShortSeconds)) ||
        left <= static_cast<std::int32_t>(timeout)) {
        return;
    }
    flow_.log.write(flow_.packet, proto::kTcp,
                    "packet (index %d, dir %d) response for index %d lower timeout to %u",
                    static_cast<int>(segment_.kind), static_cast<int>(sender_), tcp_.last_index,
                    timeout);
    record.deadline = flow_.now + timeout;
}

// The segment is believed.
TrackerVerdict TcpTracker::commit() {
    Connection& record = flow_.record;
    tcp_.last_index = static_cast<std::uint8_t>(segment_.kind);
    tcp_.last_direction = static_cast<std::uint8_t>(direction_);
    tcp_.state = static_cast<std::uint8_t>(next_);
    const bool changed = static_cast<TcpStep>(old_) != next_;
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
        record.status |= status::kAssured;
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
    const auto index = static_cast<std::size_t>(state);
    return index < std::size(kTimeouts) ? flow_.timeouts.*kTimeouts[index] : kSynSent2Seconds;
}

}  // namespace

}  // namespace nsr::conntrack
