// RST and FIN: which of them are believed, and what becomes of a connection that shows some that
// cannot be right.
#include "core/conntrack/trackers/tcp_tracker.hpp"

namespace nsr::conntrack {

// Which RSTs are believed. RFC 5961 3.2: an ESTABLISHED connection only by an exact one.
TcpPath TcpTracker::reset() {
    if (closing()) {
        // The tuple may be in use again; nothing we know is current.
        return TcpPath::SkipWindow;
    }
    const bool receiver_acked = (tcp_.flags[receiver_] & tcp_flag::kMaxAckSet) != 0;
    if (receiver_acked && !last_was(TcpKind::Syn)) {
        const std::uint32_t expected = tcp_.seen[receiver_].max_ack;
        if (segment_.seq == 0 && !established()) {
            return TcpPath::CheckWindow;
        }
        if (before(segment_.seq, expected) && flow_.settings.tcp_ignore_invalid_rst == 0) {
            log("invalid rst");
            return TcpPath::Invalid;
        }
        if (reset_is_exact(expected)) {
            return TcpPath::CheckWindow;
        }
        next_ = static_cast<TcpStep>(old_);
    }
    return resets_ignored_segment() ? TcpPath::SkipWindow : TcpPath::CheckWindow;
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

}  // namespace nsr::conntrack
