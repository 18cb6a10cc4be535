// What administrators do: a connection made by hand, and changes to one.
// kernel: nf_conntrack_netlink.c
#include <algorithm>

#include "core/base/check.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/conntrack/trackers/sctp_table.hpp"
#include "core/conntrack/trackers/tcp_table.hpp"
#include "core/conntrack/trackers/tcp_window.hpp"

namespace nsr::conntrack {

namespace {

constexpr std::uint32_t kChangeable = status::kSeenReply | status::kAssured | status::kFixedTimeout;

// A new one tells everything that it has. kernel: ctnetlink_new_conntrack
constexpr std::uint32_t kMade = event::kNew | (event::kChange & ~event::kLabel & ~event::kSynProxy);

// kernel: ctnetlink_change_timeout, ctnetlink_change_status
std::optional<Refusal> refused(const Connection& record, const Change& change) {
    if (change.timeout_seconds && record.has(status::kFixedTimeout)) {
        return Refusal::NotPermitted;
    }
    const bool expects = (change.status & status::kExpected & ~record.status) != 0;
    return expects ? std::optional(Refusal::Busy) : std::nullopt;
}

// kernel: nlattr_to_tcp, with the flags that conntrack(8) sends beside a state
void set_tcp(TcpState& tcp, std::uint8_t state) {
    const bool over = state >= static_cast<std::uint8_t>(TcpConntrack::TimeWait);
    tcp.state = state;
    for (std::uint8_t& flags : tcp.flags) {
        flags |= tcp_flag::kBeLiberal | tcp_flag::kSackPermitted;
        flags |= tcp_flag::bit_if(over, tcp_flag::kCloseInit);
    }
}

// kernel: ctnetlink_change_protoinfo
void set_protocol(Connection& record, const ProtocolChange& change) {
    if (record.protocol == proto::kTcp && change.state) {
        set_tcp(record.state.tcp, *change.state);
    }
    if (record.protocol == proto::kSctp) {
        SctpState& sctp = record.state.sctp;
        sctp.state = change.state.value_or(sctp.state);
        for (std::size_t way = 0; way < change.tag.size(); ++way) {
            sctp.vtag[way] = change.tag[way].value_or(sctp.vtag[way]);
        }
    }
}

// kernel: nf_connlabels_replace
void set_labels(Extra& extra, const LabelChange& change) {
    for (std::size_t word = 0; word < extra.labels.size(); ++word) {
        extra.labels[word] = (extra.labels[word] & ~change.clear[word]) | change.set[word];
    }
}

void set_values(Connection& record, const Change& change) {
    record.status |= change.status & kChangeable;
    set_protocol(record, change.protocol);
    if (change.mark) {
        record.mark = (record.mark & ~change.mark->mask) ^ change.mark->value;
    }
}

Meta meta_of(const NewConnection& wanted) {
    Meta meta;
    meta.zone = wanted.zone;
    meta.zone_original = wanted.zone_original;
    meta.zone_reply = wanted.zone_reply;
    return meta;
}

}  // namespace

// kernel: ctnetlink_change_conntrack
Result<Done, Refusal> Conntrack::update(ConnId id, const Change& change, Instant now) {
    NSR_CHECK(!events_.delivering());
    if (const auto refusal = refused(table_[id], change)) {
        return *refusal;
    }
    if (change.labels) {
        Extra* extra = table_.need_extra(id);
        if (extra == nullptr) {
            return Refusal::NoMemory;
        }
        set_labels(*extra, *change.labels);
    }
    Connection& record = table_[id];
    if (change.timeout_seconds) {
        record.deadline = to_jiffies(now) + seconds_to_jiffies(*change.timeout_seconds);
        table_.deadline_lowered(id, to_jiffies(now));
    }
    set_values(record, change);
    events_.report(id, event::kChange, now, ChangedBy::Administrator);
    return Done{};
}

// kernel: ctnetlink_new_conntrack, ctnetlink_create_conntrack
Result<ConnId, Refusal> Conntrack::insert(const NewConnection& wanted, const Translate& translate,
                                          Instant now) {
    NSR_CHECK(!events_.delivering());
    now_ = now;
    const Zone zone = wanted.zone_original ? wanted.zone : Zone{0};
    if (table_.find(wanted.original, zone, to_jiffies(now))) {
        return Refusal::Exists;
    }
    if (wanted.original.family() != wanted.reply.family() ||
        wanted.original.protocol != wanted.reply.protocol) {
        return Refusal::Invalid;
    }
    if (!make_room(now)) {
        return Refusal::NoMemory;
    }
    const auto id = table_.allocate();
    if (!id) {
        return Refusal::NoMemory;
    }
    if (!fill(*id, wanted.original, wanted.reply, meta_of(wanted), std::nullopt)) {
        free(*id);
        return Refusal::NoMemory;
    }
    if (!translate(*id)) {
        free(*id);
        return Refusal::Invalid;
    }
    if (const auto admitted = admit(*id, wanted.with, now); !admitted) {
        free(*id);
        return admitted.error();
    }
    return *id;
}

// kernel: nf_conntrack_hash_check_insert
Result<Done, Refusal> Conntrack::admit(ConnId id, const Change& with, Instant now) {
    if (const auto refusal = refused(table_[id], with)) {
        return *refusal;
    }
    if (with.labels) {
        Extra* extra = table_.need_extra(id);
        if (extra == nullptr) {
            return Refusal::NoMemory;
        }
        set_labels(*extra, *with.labels);
    }
    Connection& record = table_[id];
    set_values(record, with);
    if (record.protocol == proto::kGre) {
        record.state.gre = {timeouts_of(id).gre, timeouts_of(id).gre_stream};
    }
    record.deadline = to_jiffies(now) + seconds_to_jiffies(with.timeout_seconds.value_or(0));
    record.status |= status::kConfirmed;
    if (!table_.insert(id, to_jiffies(now))) {
        record.status &= ~status::kConfirmed;
        ++stats_.insert_failed;
        return Refusal::Exists;
    }
    ++stats_.insert;
    if (!shard_.alone()) {
        shard_.answers_begin(table_.tuple(id, Direction::Reply));
    }
    if (Extra* extra = table_.extra(id); extra != nullptr && extra->start_ns == kStampAtConfirm) {
        extra->start_ns = std::max<std::int64_t>(1, now.time_since_epoch().count());
    }
    events_.report(id, kMade | (with.labels ? event::kLabel : 0u), now, ChangedBy::Administrator);
    return Done{};
}

}  // namespace nsr::conntrack
