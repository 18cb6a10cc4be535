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

}  // namespace

Conntrack::Conntrack(const Settings& settings, Resources resources)
    : Helping({table_, settings_, stats_, resources.log, now_, events_}, resources.key),
      settings_(settings),
      log_(resources.log),
      table_(resources.key, settings.buckets,
             resources.memory ? std::move(resources.memory) : anonymous_memory()),
      shard_(resources.shard, resources.key),
      events_(*this, table_) {
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
        iterate([this, family](ConnId id) { return table_[id].family == family; }, now);
    }
    while (active && sweeps_.pending()) {  // what comes now must not be taken for what went
        sweep_batch(now);
    }
}

bool Conntrack::active(Family family) const {
    return active_[index_of(family)];
}

// --- a packet comes in --------------------------------------------------------------------------

// A connection that was killed by the packet before goes now, but not for an error or reset about
// that packet: both still use it. kernel: nf_conntrack_in
Verdict Conntrack::track(Packet& packet, Instant now) {
    now_ = now;
    if (!active(packet.layout.family) || std::exchange(packet.meta.ct_seen, true)) {
        return Verdict::accept();
    }
    put_killed();
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
    const auto hit = find(lookup_of(quoted), packet.meta, to_jiffies(now));
    if (!hit) {
        invalid_note_.say("the packet that it quotes is of no connection");
        return false;
    }
    const IpAddress destination = table_.tuple(hit->id, hit->direction).destination;
    if (packet.layout.destination != destination) {
        const InvalidLog log = invalid_log(now);
        log.write(packet, packet.layout.protocol, "outer daddr %s != inner %s",
                  to_proc_string(packet.layout.destination).c_str(),
                  to_proc_string(destination).c_str());
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
    const Lookahead::Lookup* ahead = lookahead_.take(packet);
    const bool complete = packet.layout.protocol != proto::kGre || gre_keys().empty();
    Lookahead::Lookup computed;
    if (ahead == nullptr || !complete) {
        computed = lookup_of(tuple_of(packet));
        ahead = &computed;
    }
    const Lookahead::Lookup& lookup = *ahead;
    const auto& tuple = lookup.tuple;
    if (!tuple) {
        ++stats_.invalid;
        invalid_note_.begin();
        invalid_note_.say("its transport header is cut short");
        return Verdict::accept();
    }
    for (;;) {
        auto hit = find(lookup, packet.meta, to_jiffies(now));
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
    const InvalidLog log = invalid_log(now);
    Flow flow{packet,
              record,
              info_of(record, hit.direction),
              to_jiffies(now),
              verifies_checksum(packet),
              settings_,
              timeouts_of(hit.id),
              log,
              record.extra == kNoSide ? nullptr : adjusts_of(hit.id)};
    const TrackerVerdict verdict = judge(flow);
    if (verdict == TrackerVerdict::Reopen) {
        destroy(hit.id, now);
        return false;
    }
    if (record.has(status::kOneWayRefresh | status::kConfirmed) && on_refresh &&
        !on_refresh(hit.id, hit.direction) && jiffies_until(record.deadline, before) > 0) {
        record.deadline = before;
    }
    const bool nearer =
        jiffies_until(record.deadline, before) < 0 &&
        jiffies_until(record.deadline, flow.now) < static_cast<std::int32_t>(Table::kLooksWithin);
    if (flow.confirmed() && nearer) {
        table_.deadline_lowered(hit.id, flow.now);
    }
    events_.cache(hit.id, flow.events);
    if (verdict == TrackerVerdict::Invalid) {
        ++stats_.invalid;
        invalid_note_.about(record, hit.direction);
        if (!flow.confirmed()) {
            free(hit.id);
        }
        return true;
    }
    packet.meta.conn = hit.id;
    packet.meta.ct_info = flow.info;
    if (flow.counted && record.extra != kNoSide) {
        account(hit.id, hit.direction, packet.layout.total_length);
    }
    if (flow.killed) {
        kill(hit.id, now);
    }
    if (hit.direction == Direction::Reply && !record.has(status::kSeenReply)) {
        record.status |= status::kSeenReply;
        events_.cache(hit.id, event::kReply);
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
std::optional<Hit> Conntrack::find(const Lookahead::Lookup& lookup, const Meta& meta,
                                   Jiffies now) const {
    const Tuple& tuple = *lookup.tuple;
    if (meta.zone == 0) {
        return table_.find_hashed(tuple, Zone{0}, lookup.hash, now);
    }
    if (meta.zone_original && meta.zone_reply) {
        return table_.find(tuple, meta.zone, now);
    }
    const auto in = [&](Direction direction, bool counts) {
        return table_.find(tuple, counts ? meta.zone : Zone{0}, now, direction);
    };
    const auto hit = in(Direction::Original, meta.zone_original);
    return hit ? hit : in(Direction::Reply, meta.zone_reply);
}

// GRE that was announced has a source key, which is not in the packet.
Lookahead::Lookup Conntrack::lookup_of(std::optional<Tuple> tuple) const {
    if (tuple && tuple->protocol == proto::kGre && !gre_keys().empty()) {
        tuple->source_port = gre_keys().source_key(*tuple);
    }
    return {tuple, tuple ? table_.hash_of(*tuple, Zone{0}) : 0};
}

TimeoutPolicyId Conntrack::policy_of(ConnId id) const {
    const Extra* extra = table_.extra(id);
    return extra == nullptr ? TimeoutPolicyId::None
                            : static_cast<TimeoutPolicyId>(extra->timeout_policy);
}

// kernel: nf_ct_timeout_lookup
const Timeouts& Conntrack::timeouts_of(ConnId id) const {
    const Timeouts* own = policies_.timeouts(policy_of(id));
    return own != nullptr ? *own : settings_.timeouts;
}

void Conntrack::account(ConnId id, Direction direction, std::uint32_t bytes) {
    Extra* extra = table_.extra(id);
    if (extra != nullptr && extra->counting) {
        Counter& counter = extra->counters[static_cast<std::size_t>(direction)];
        ++counter.packets;
        counter.bytes += bytes;
    }
}

// --- what others say about a packet -------------------------------------------------------------

InvalidLog Conntrack::invalid_log(Instant now) {
    return {{log_, describe_packet, invalid_note_}, settings_, now};
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
    record.deadline = to_jiffies(now) + jiffies_of(timeouts_of(packet.meta.conn).tcp_close);
    table_.deadline_lowered(packet.meta.conn, to_jiffies(now));
    events_.cache(packet.meta.conn, event::kProtoInfo);
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
