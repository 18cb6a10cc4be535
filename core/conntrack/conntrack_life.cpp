// The life of a connection: made for a first packet, confirmed when that packet is through, ended
// by time, by its protocol, by an administrator or because the table is full.
#include <algorithm>
#include <string>
#include <utility>

#include "core/conntrack/conntrack.hpp"

namespace nsr::conntrack {

namespace {

// What one call does at most: a million entries that end together must not hold up packets.
constexpr std::size_t kExpiryBatch = 256;
constexpr int kExpiryBatches = 16;

}  // namespace

// --- new connections ----------------------------------------------------------------------------

// kernel: init_conntrack, __nf_conntrack_alloc
Result<ConnId, DropReason> Conntrack::create(const Packet& packet, const Tuple& tuple,
                                             const Tuple& reply, Instant now) {
    if (!make_room(now)) {
        return DropReason::TableFull;
    }
    const auto id = table_.allocate();
    if (!id) {
        return DropReason::TrackingFailed;
    }
    Connection& record = table_[*id];
    record.family = tuple.family();
    record.protocol = tuple.protocol;
    record.zone = packet.meta.zone;
    const bool complete = table_.set_tuple(*id, Direction::Original, tuple) &&
                          table_.set_tuple(*id, Direction::Reply, reply) &&
                          add_extra(*id, packet.meta);
    if (!complete) {
        erase(*id);
        return DropReason::TrackingFailed;
    }
    return *id;
}

// The side record of a connection that needs one. False: no memory.
bool Conntrack::add_extra(ConnId id, const Meta& meta) {
    const bool one_sided = meta.zone != 0 && !(meta.zone_original && meta.zone_reply);
    if (settings_.acct == 0 && settings_.timestamp == 0 && !one_sided) {
        return true;
    }
    Extra* extra = table_.need_extra(id);
    if (extra == nullptr) {
        return false;
    }
    extra->counting = settings_.acct != 0;
    extra->start_ns = settings_.timestamp != 0 ? kStampAtConfirm : 0;
    extra->zone_original = meta.zone_original;
    extra->zone_reply = meta.zone_reply;
    return true;
}

// May one more connection come? The new one counts, and so do unconfirmed ones.
bool Conntrack::make_room(Instant now) {
    if (settings_.max == 0 || table_.size() < settings_.max) {
        return true;
    }
    bool complete = false;
    for (int batch = 0; batch < kExpiryBatches && !complete; ++batch) {
        complete = expire_batch(now);
        if (table_.size() < settings_.max) {
            return true;
        }
    }
    if (const auto victim = table_.victim(to_jiffies(now))) {
        ++stats_.early_drop;
        destroy(*victim, now);
        return true;
    }
    const RateLimit::Answer answer = full_log_.ask(to_jiffies(now));
    if (answer.suppressed != 0) {
        log_.log(now, LogLevel::Warning,
                 "net_ratelimit: " + std::to_string(answer.suppressed) + " callbacks suppressed");
    }
    if (answer.allowed) {
        log_.log(now, LogLevel::Warning, "nf_conntrack: table full, dropping packet");
    }
    return false;
}

// kernel: __nf_conntrack_confirm
Verdict Conntrack::confirm(Packet& packet, Instant now) {
    const ConnId id = packet.meta.conn;
    if (id == ConnId::None) {
        return Verdict::accept();
    }
    now_ = now;
    if (id == ending_ && !is_related(packet.meta.ct_info)) {
        reap();
        packet.meta.conn = ConnId::None;
        return Verdict::accept();
    }
    Connection& record = table_[id];
    if (record.has(status::kConfirmed) ||
        direction_of(packet.meta.ct_info) != Direction::Original) {
        tell(now);
        return Verdict::accept();
    }
    const Jiffies lifetime = record.deadline;
    record.deadline += to_jiffies(now);
    record.accepted_by = packet.meta.accepted_by;
    record.status |= status::kConfirmed;
    if (!table_.insert(id, to_jiffies(now))) {
        record.status &= ~status::kConfirmed;
        record.deadline = lifetime;
        ++stats_.insert_failed;
        ++stats_.drop;
        return Verdict::drop(DropReason::ConfirmClash);
    }
    if (Extra* extra = table_.extra(id); extra != nullptr && extra->start_ns == kStampAtConfirm) {
        extra->start_ns = std::max<std::int64_t>(1, now.time_since_epoch().count());
    }
    note(id, record.has(status::kExpected) ? event::kRelated : event::kNew);
    tell(now);
    return Verdict::accept();
}

// --- the end of connections ---------------------------------------------------------------------

void Conntrack::release(Packet& packet) {
    const ConnId id = std::exchange(packet.meta.conn, ConnId::None);
    if (id == ConnId::None || direction_of(packet.meta.ct_info) == Direction::Reply ||
        id == ending_) {
        return;
    }
    const Connection& record = table_[id];
    const bool attached = is_related(packet.meta.ct_info) && !record.has(status::kExpected);
    if (!attached && !record.has(status::kConfirmed)) {
        erase(id);
    }
}

// The packet that ends a connection still needs its translation; nobody else finds it any more.
void Conntrack::end_after_packet(ConnId id, Jiffies now) {
    Connection& record = table_[id];
    if (!record.has(status::kConfirmed)) {
        return;
    }
    record.status |= status::kDying;
    record.deadline = now;
    table_.deadline_lowered(id, now);
    ending_ = id;
}

void Conntrack::reap() {
    const ConnId id = std::exchange(ending_, ConnId::None);
    if (id != ConnId::None) {
        erase(id);
    }
}

void Conntrack::destroy(ConnId id, Instant now) {
    now_ = now;
    if (id == ending_) {
        ending_ = ConnId::None;
    }
    erase(id);
}

void Conntrack::erase(ConnId id) {
    if (id == noted_) {
        noted_ = ConnId::None;
    }
    if (table_[id].has(status::kConfirmed)) {
        note(id, event::kDestroy);
        tell(now_);
    }
    if (on_erase) {
        on_erase(id);
    }
    table_.erase(id);
}

void Conntrack::flush(Instant now) {
    destroy_if([](ConnId) { return true; }, now);
}

std::size_t Conntrack::destroy_if(const std::function<bool(ConnId)>& doomed, Instant now) {
    std::size_t count = 0;
    for (auto id = table_.next(std::nullopt); id; id = table_.next(id)) {
        if (doomed(*id)) {
            destroy(*id, now);
            ++count;
        }
    }
    return count;
}

// kernel: gc_worker
bool Conntrack::expire(Instant now) {
    now_ = now;
    reap();
    bool complete = false;
    for (int batch = 0; batch < kExpiryBatches && !complete; ++batch) {
        complete = expire_batch(now);
    }
    return complete;
}

bool Conntrack::expire_batch(Instant now) {
    expired_.clear();
    const bool complete = table_.collect_expired(to_jiffies(now), kExpiryBatch, expired_);
    for (const ConnId id : expired_) {
        erase(id);
    }
    return complete;
}

std::optional<Instant> Conntrack::next_deadline() const {
    const auto deadline = table_.next_deadline();
    if (!deadline) {
        return std::nullopt;
    }
    const Duration since_tick = now_.time_since_epoch() % kJiffy;
    return now_ - since_tick + kJiffy * jiffies_until(*deadline, to_jiffies(now_));
}

}  // namespace nsr::conntrack
