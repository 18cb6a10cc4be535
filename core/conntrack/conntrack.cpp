#include "core/conntrack/conntrack.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/conntrack/trackers/icmp_error.hpp"
#include "core/wire/sctp.hpp"

namespace nsr::conntrack {

namespace {

CtInfo info_of(const Connection& record, Direction direction) {
    if (direction == Direction::Reply) {
        return CtInfo::EstablishedReply;
    }
    if (record.has(status::kSeenReply)) {
        return CtInfo::Established;
    }
    return record.has(status::kExpected) ? CtInfo::Related : CtInfo::New;
}

// What an event may be about.
struct EventState {
    std::uint32_t status = 0;
    std::uint8_t protocol_state = 0;
};

EventState event_state_of(const Connection& record) {
    switch (record.protocol) {
        case proto::kTcp:
            return {record.status, record.state.tcp.state};
        case proto::kSctp:
            return {record.status, record.state.sctp.state};
        default:
            return {record.status, 0};
    }
}

std::uint32_t changes(const EventState& before, const EventState& after) {
    const std::uint32_t gained = after.status & ~before.status;
    std::uint32_t events = 0;
    events |= (gained & status::kSeenReply) != 0 ? event::kReply : 0;
    events |= (gained & status::kAssured) != 0 ? event::kAssured : 0;
    events |= before.protocol_state != after.protocol_state ? event::kProtoInfo : 0;
    return events;
}

}  // namespace

Conntrack::Conntrack(const Settings& settings, Environment environment)
    : settings_(settings),
      log_(environment.log),
      table_(environment.key, settings.buckets,
             environment.memory ? std::move(environment.memory) : anonymous_memory()) {
}

Conntrack::~Conntrack() = default;

// --- on and off -------------------------------------------------------------------------------

void Conntrack::set_active(Family family, bool active, Instant now) {
    bool& current = active_[index_of(family)];
    if (current == active) {
        return;
    }
    if (active && !active_[0] && !active_[1]) {
        log_.log(now, LogLevel::Info,
                 "nf_conntrack version 0.5.0 (" + std::to_string(table_.buckets()) + " buckets, " +
                     std::to_string(settings_.max) + " max)");
    }
    current = active;
    if (!active) {
        destroy_if([&](ConnId id) { return table_[id].family == family; }, now);
    }
}

bool Conntrack::active(Family family) const {
    return active_[index_of(family)];
}

// --- a packet comes in --------------------------------------------------------------------------

void Conntrack::prefetch(const Packet& packet) const {
    if (const auto tuple = tuple_of(packet)) {
        table_.prefetch(*tuple, packet.meta.zone);
    }
}

// What the packet before left undone is done now, but not for an error or reset about that packet:
// both still use its connection. kernel: nf_conntrack_in
Verdict Conntrack::track(Packet& packet, Instant now) {
    now_ = now;
    if (!active(packet.layout.family) || std::exchange(packet.meta.ct_seen, true)) {
        return Verdict::accept();
    }
    reap();
    tell(now);
    if (packet.meta.zone_from_mark) {  // kernel: nf_ct_zone_tmpl
        packet.meta.zone = static_cast<Zone>(packet.meta.mark);
    }
    if (proto::is_icmp(packet.layout.protocol) && !track_icmp(packet, now)) {
        return Verdict::accept();
    }
    return track_flow(packet, now);
}

// False if there is nothing left to do. kernel: nf_conntrack_handle_icmp
bool Conntrack::track_icmp(Packet& packet, Instant now) {
    if (!packet.layout.has_l4_header()) {
        return true;
    }
    const InvalidLog log = invalid_log(now);
    const IcmpClass icmp = classify_icmp(packet, verifies_checksum(packet), log);
    switch (icmp.kind) {
        case IcmpKind::Query:
            return true;
        case IcmpKind::Untracked:
            packet.meta.ct_info = CtInfo::Untracked;
            return false;
        case IcmpKind::Error:
            if (track_error(packet, icmp.quoted, now)) {
                return false;
            }
            break;
        case IcmpKind::Malformed:
            break;
    }
    ++stats_.icmp_error;
    return false;
}

// An error belongs to the connection it quotes if it is addressed to the end of it that sent the
// quoted packet. kernel: nf_conntrack_inet_error
bool Conntrack::track_error(Packet& packet, const Tuple& quoted, Instant now) {
    const auto hit = find(quoted, packet.meta, to_jiffies(now));
    if (!hit) {
        return false;
    }
    const IpAddress destination = table_.tuple(hit->id, hit->direction).destination;
    if (packet.layout.destination != destination) {
        const InvalidLog log = invalid_log(now);
        if (log.wants(packet.layout.protocol)) {
            log.write(packet, packet.layout.protocol, "outer daddr %s != inner %s",
                      to_proc_string(packet.layout.destination).c_str(),
                      to_proc_string(destination).c_str());
        }
        return false;
    }
    packet.meta.conn = hit->id;
    packet.meta.ct_info =
        hit->direction == Direction::Reply ? CtInfo::RelatedReply : CtInfo::Related;
    return true;
}

// kernel: resolve_normal_ct, nf_conntrack_handle_packet
Verdict Conntrack::track_flow(Packet& packet, Instant now) {
    if (packet.layout.protocol == proto::kSctp && verifies_checksum(packet)) {
        packet.gather(packet.layout.l4_offset + wire::sctp::kHeaderBytes);  // kernel: sctp_error
    }
    const auto tuple = tuple_of(packet);
    if (!tuple) {
        ++stats_.invalid;
        return Verdict::accept();
    }
    for (;;) {
        auto hit = find(*tuple, packet.meta, to_jiffies(now));
        if (!hit) {
            const auto reply = invert(*tuple);
            if (!reply) {
                ++stats_.invalid;
                return Verdict::accept();
            }
            const auto created = create(packet, *tuple, *reply, now);
            if (!created) {
                ++stats_.drop;
                return Verdict::drop(created.error());
            }
            hit = Hit{*created, Direction::Original};
        }
        if (judge_packet(packet, *hit, now)) {
            return Verdict::accept();
        }
    }
}

// False if the packet must be looked up again.
bool Conntrack::judge_packet(Packet& packet, const Hit& hit, Instant now) {
    Connection& record = table_[hit.id];
    const Jiffies before = record.deadline;
    const EventState was = on_event ? event_state_of(record) : EventState{};
    const InvalidLog log = invalid_log(now);
    Flow flow{packet,
              record,
              info_of(record, hit.direction),
              to_jiffies(now),
              verifies_checksum(packet),
              settings_,
              timeouts_of(record),
              log};
    const TrackerVerdict verdict = judge(flow);
    if (verdict == TrackerVerdict::Reopen) {
        destroy(hit.id, now);
        return false;
    }
    const bool nearer =
        jiffies_until(record.deadline, before) < 0 &&
        jiffies_until(record.deadline, flow.now) < static_cast<std::int32_t>(Table::kLooksWithin);
    if (flow.confirmed() && nearer) {
        table_.deadline_lowered(hit.id, flow.now);
    }
    if (verdict == TrackerVerdict::Invalid) {
        ++stats_.invalid;
        if (!flow.confirmed()) {
            erase(hit.id);
        }
        return true;
    }
    packet.meta.conn = hit.id;
    packet.meta.ct_info = flow.info;
    if (flow.counted && record.extra != kNoSide) {
        account(hit.id, hit.direction, packet.layout.total_length);
    }
    if (flow.killed) {
        end_after_packet(hit.id, flow.now);
    }
    if (hit.direction == Direction::Reply) {
        record.status |= status::kSeenReply;
    }
    if (on_event) {
        note(hit.id, changes(was, event_state_of(record)));
    }
    return true;
}

bool Conntrack::verifies_checksum(const Packet& packet) const {
    return settings_.checksum != 0 && !packet.meta.locally_generated &&
           packet.offload.checksum == ChecksumState::Complete;
}

// Each direction of a record is in the zone that counts for that direction, and so is the packet:
// where the rule gave it a zone for one direction only, it is in zone 0 for the other. kernel:
// nf_ct_key_equal, nf_ct_zone_id
std::optional<Hit> Conntrack::find(const Tuple& tuple, const Meta& meta, Jiffies now) const {
    if (meta.zone == 0 || (meta.zone_original && meta.zone_reply)) {
        return table_.find(tuple, meta.zone, now);
    }
    const auto in = [&](Direction direction, bool counts) {
        return table_.find(tuple, counts ? meta.zone : Zone{0}, now, direction);
    };
    const auto hit = in(Direction::Original, meta.zone_original);
    return hit ? hit : in(Direction::Reply, meta.zone_reply);
}

const Timeouts& Conntrack::timeouts_of(const Connection&) const {
    return settings_.timeouts;
}

void Conntrack::account(ConnId id, Direction direction, std::uint32_t bytes) {
    Extra* extra = table_.extra(id);
    if (extra != nullptr && extra->counting) {
        Counter& counter = extra->counters[static_cast<std::size_t>(direction)];
        ++counter.packets;
        counter.bytes += bytes;
    }
}

// --- what is told about it ---------------------------------------------------------------------

InvalidLog Conntrack::invalid_log(Instant now) const {
    return {log_, settings_, describe_packet, now};
}

// Events of one packet are told together, when it is through. kernel: nf_conntrack_event_cache
void Conntrack::note(ConnId id, std::uint32_t events) {
    if (!on_event || settings_.events == 0) {
        return;
    }
    if (id != noted_) {
        tell(now_);
        noted_events_ = 0;
    }
    noted_ = id;
    noted_events_ |= events;
}

// kernel: nf_ct_deliver_cached_events
void Conntrack::tell(Instant now) {
    const ConnId id = std::exchange(noted_, ConnId::None);
    const std::uint32_t events = std::exchange(noted_events_, 0);
    if (id != ConnId::None && events != 0 && table_[id].has(status::kConfirmed)) {
        on_event(id, events, now);
    }
}

// What is said about an untracked packet is tracked, and raw has no say in that. kernel:
// nf_conntrack_attach
void Conntrack::attach(Packet& generated, const Packet& cause) const {
    if (cause.meta.conn == ConnId::None) {
        generated.meta.ct_template = cause.meta.ct_info == CtInfo::Untracked;
        return;
    }
    const bool original = direction_of(cause.meta.ct_info) == Direction::Original;
    generated.meta.conn = cause.meta.conn;
    generated.meta.ct_info = original ? CtInfo::RelatedReply : CtInfo::Related;
    generated.meta.ct_seen = true;
}

void Conntrack::set_closing(const Packet& packet, Instant now) {
    if (packet.meta.conn == ConnId::None || packet.layout.protocol != proto::kTcp) {
        return;
    }
    constexpr auto kClose = static_cast<std::uint8_t>(TcpConntrack::Close);
    Connection& record = table_[packet.meta.conn];
    if (!record.has(status::kConfirmed)) {
        return;
    }
    const std::uint8_t before = std::exchange(record.state.tcp.state, kClose);
    if (before == kClose || record.has(status::kFixedTimeout)) {
        return;
    }
    record.deadline = to_jiffies(now) + settings_.timeouts.tcp_close * kJiffiesPerSecond;
    table_.deadline_lowered(packet.meta.conn, to_jiffies(now));
}

Zone Conntrack::zone_of(ConnId id, Direction direction) const {
    const Extra* extra = table_.extra(id);
    if (extra == nullptr) {
        return table_[id].zone;
    }
    const bool counts = direction == Direction::Original ? extra->zone_original : extra->zone_reply;
    return counts ? table_[id].zone : Zone{0};
}

}  // namespace nsr::conntrack
