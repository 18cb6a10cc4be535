// The life of a connection: made for a first packet, confirmed when that packet is through, ended
// by time, by its protocol, by an administrator or because the table is full.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/base/check.hpp"
#include "core/conntrack/conntrack.hpp"

namespace nsr::conntrack {

namespace {

// What one call of expire() does at most: a million entries that end together must not hold up
// packets.
constexpr std::size_t kExpiryBatch = 64;
constexpr int kExpiryBatches = 64;  // to make room for one

constexpr unsigned kBitsPerLabelWord = 32;

Instant instant_of(std::optional<Jiffies> deadline, Instant now) {
    const Instant tick = now - now.time_since_epoch() % kJiffy;
    return deadline ? tick + kJiffy * jiffies_until(*deadline, to_jiffies(now)) : kNever;
}

}  // namespace

// --- new connections ----------------------------------------------------------------------------

// kernel: init_conntrack, __nf_conntrack_alloc
Result<ConnId, DropReason> Conntrack::create(const Packet& packet, const Tuple& tuple,
                                             const Tuple& reply, Instant now) {
    NSR_CHECK(!events_.delivering());
    if (!make_room(now)) {
        return DropReason::TableFull;
    }
    const auto id = table_.allocate();
    if (!id) {
        return DropReason::TrackingFailed;
    }
    const auto expected = find_expected(tuple, packet.meta.zone, to_jiffies(now));
    if (!fill(*id, tuple, reply, packet.meta, expected)) {
        free(*id);
        return DropReason::TrackingFailed;
    }
    if (expected && on_expected) {
        on_expected(*id, *expected, now);
    }
    if (!expected && on_unexpected) {
        const Welcome welcome = on_unexpected(*id, packet, now);
        if (welcome.refused) {
            free(*id);
            return *welcome.refused;
        }
        table_[*id].status |= welcome.expected ? status::kExpected : 0;
    }
    return *id;
}

// A record that was just allocated gets what a connection has from its beginning. False: no memory.
bool Conntrack::fill(ConnId id, const Tuple& tuple, const Tuple& reply, const Meta& meta,
                     const std::optional<Expectation>& expected) {
    Connection& record = table_[id];
    record.family = tuple.family();
    record.protocol = tuple.protocol;
    record.zone = meta.zone;
    record.status = carries_events(meta) ? status::kEvents : 0;
    return table_.set_tuple(id, Direction::Original, tuple) &&
           table_.set_tuple(id, Direction::Reply, reply) && add_extra(id, meta) &&
           take_help(id, meta, expected);
}

// kernel: nf_ct_ecache_ext_add
bool Conntrack::carries_events(const Meta& meta) const {
    constexpr std::uint32_t kWhileListening = 2;
    if (settings_.events == kWhileListening) {
        return events_.listening();
    }
    return settings_.events != 0 || meta.ct_events != 0;
}

// The side record of a connection that needs one. False: no memory.
bool Conntrack::add_extra(ConnId id, const Meta& meta) {
    const bool one_sided = meta.zone != 0 && !(meta.zone_original && meta.zone_reply);
    if (settings_.acct == 0 && settings_.timestamp == 0 && !one_sided && meta.ct_events == 0 &&
        meta.ct_timeout == 0) {
        return true;
    }
    Extra* extra = table_.need_extra(id);
    if (extra == nullptr) {
        return false;
    }
    extra->counting = settings_.acct != 0 ? 1 : 0;
    extra->start_ns = settings_.timestamp != 0 ? kStampAtConfirm : 0;
    extra->event_mask = meta.ct_events;
    extra->timeout_policy = meta.ct_timeout;
    policies_.join(static_cast<TimeoutPolicyId>(meta.ct_timeout));
    extra->zone_original = meta.zone_original ? 1 : 0;
    extra->zone_reply = meta.zone_reply ? 1 : 0;
    return true;
}

// May one more connection come? The new one counts, and so do unconfirmed ones.
bool Conntrack::make_room(Instant now) {
    if (settings_.max == 0 || table_.size() < shard_.share_of(settings_.max)) {
        return true;
    }
    bool complete = false;
    for (int batch = 0; batch < kExpiryBatches && !complete; ++batch) {
        complete = expire_batch(now);
        if (table_.size() < shard_.share_of(settings_.max)) {
            return true;
        }
    }
    if (const auto victim = table_.victim(to_jiffies(now))) {
        ++stats_.early_drop;
        if (on_evict) {
            on_evict(*victim, now);
        }
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
    if (id == killed_ && !is_related(packet.meta.ct_info)) {
        put_killed();
        packet.meta.conn = ConnId::None;
        return Verdict::accept();
    }
    Connection& record = table_[id];
    if (record.has(status::kConfirmed) ||
        direction_of(packet.meta.ct_info) != Direction::Original) {
        events_.deliver_cached(id, now);
        return Verdict::accept();
    }
    const Jiffies lifetime = record.deadline;
    record.deadline += to_jiffies(now);
    record.accepted_by = packet.meta.accepted_by;
    record.status |= status::kConfirmed;
    const bool clashes =
        !shard_.alone() && shard_.are_taken_elsewhere(table_.tuple(id, Direction::Reply));
    if (clashes || !table_.insert(id, to_jiffies(now))) {
        record.status &= ~status::kConfirmed;
        record.deadline = lifetime;
        ++stats_.insert_failed;
        ++stats_.drop;
        return Verdict::drop(DropReason::ConfirmClash);
    }
    if (!shard_.alone()) {
        shard_.answers_begin(table_.tuple(id, Direction::Reply));
    }
    if (Extra* extra = table_.extra(id); extra != nullptr && extra->start_ns == kStampAtConfirm) {
        extra->start_ns = std::max<std::int64_t>(1, now.time_since_epoch().count());
    }
    events_.cache(id, record.has(status::kExpected) ? event::kRelated : event::kNew);
    if (helper_of(id) != HelperId::None) {
        events_.cache(id, event::kHelper);
    }
    events_.deliver_cached(id, now);
    return Verdict::accept();
}

// --- changes from outside -----------------------------------------------------------------------

void Conntrack::set_settings(const Settings& settings) {
    if (settings.buckets != settings_.buckets) {
        table_.resize(settings.buckets);
    }
    settings_ = settings;
}

void Conntrack::zero_counters(ConnId id) {
    if (Extra* extra = table_.extra(id)) {
        extra->counters = {};
    }
}

void Conntrack::set_mark(ConnId id, Mark mark) {
    NSR_CHECK(!events_.delivering());
    if (std::exchange(table_[id].mark, mark) != mark) {
        events_.cache(id, event::kMark);
    }
}

bool Conntrack::set_label(ConnId id, unsigned label) {
    NSR_CHECK(!events_.delivering());
    Extra* extra = table_.need_extra(id);
    if (extra == nullptr) {
        return false;
    }
    std::uint32_t& word = extra->labels[label / kBitsPerLabelWord];
    const std::uint32_t bit = 1u << label % kBitsPerLabelWord;
    if ((std::exchange(word, word | bit) & bit) == 0) {
        events_.cache(id, event::kLabel);
    }
    return true;
}

bool Conntrack::has_label(ConnId id, unsigned label) const {
    const Extra* extra = table_.extra(id);
    return extra != nullptr &&
           (extra->labels[label / kBitsPerLabelWord] >> label % kBitsPerLabelWord & 1) != 0;
}

bool Conntrack::alter_reply(ConnId id, const Tuple& reply) {
    return table_.set_tuple(id, Direction::Reply, reply) && assign_automatic_helper(id);
}

void Conntrack::set_nat(ConnId id, std::uint32_t bits, RuleId rule) {
    Connection& record = table_[id];
    record.status |= bits & (status::kNatMask | status::kNatDoneMask | status::kOneWayRefresh);
    if (rule != RuleId::None) {
        record.translated_by = rule;
    }
}

void Conntrack::set_masqueraded_behind(ConnId id, IfIndex interface) {
    table_[id].set_masqueraded_behind(interface);
}

void Conntrack::recheck(ConnId id) {
    rechecks_ = true;
    table_[id].status |= status::kRecheck;
}

bool Conntrack::awaits_recheck(const Packet& packet) const {
    return rechecks_ && packet.meta.conn != ConnId::None && !is_related(packet.meta.ct_info) &&
           table_[packet.meta.conn].has(status::kRecheck);
}

void Conntrack::accept_again(ConnId id, RuleId rule) {
    table_[id].status &= ~status::kRecheck;
    table_[id].accepted_by = rule;
}

// --- the end of connections ---------------------------------------------------------------------

void Conntrack::release(Packet& packet) {
    const ConnId id = std::exchange(packet.meta.conn, ConnId::None);
    if (id == ConnId::None || direction_of(packet.meta.ct_info) == Direction::Reply ||
        id == killed_) {
        return;
    }
    const Connection& record = table_[id];
    const bool attached = is_related(packet.meta.ct_info) && !record.has(status::kExpected);
    if (!attached && !record.has(status::kConfirmed)) {
        free(id);
    }
}

// The packet that ends a connection still needs its translation; nobody else finds it any more.
// kernel: nf_ct_kill_acct
void Conntrack::kill(ConnId id, Instant now) {
    Connection& record = table_[id];
    if (!record.has(status::kConfirmed)) {
        return;
    }
    events_.report(id, event::kDestroy, now);
    record.status |= status::kDying;
    record.deadline = to_jiffies(now);
    table_.deadline_lowered(id, to_jiffies(now));
    killed_ = id;
}

// The packet that killed it needs it no more. kernel: nf_ct_put
void Conntrack::put_killed() {
    const ConnId id = std::exchange(killed_, ConnId::None);
    if (id != ConnId::None) {
        free(id);
    }
}

void Conntrack::destroy(ConnId id, Instant now, ChangedBy by) {
    now_ = now;
    if (id == killed_) {
        killed_ = ConnId::None;
    }
    erase(id, now, by);
}

// kernel: nf_ct_delete
void Conntrack::erase(ConnId id, Instant now, ChangedBy by) {
    if (!table_[id].has(status::kDying)) {
        events_.report(id, event::kDestroy, now, by);
    }
    free(id);
}

// kernel: nf_conntrack_free
void Conntrack::free(ConnId id) {
    NSR_CHECK(!events_.delivering());
    events_.forget(id);
    if (!shard_.alone() && table_[id].has(status::kConfirmed)) {
        shard_.answers_end(table_.tuple(id, Direction::Reply));
    }
    if (on_erase) {
        on_erase(id);
    }
    if (table_[id].extra != kNoSide && on_master_end) {
        on_master_end(id);
    }
    policies_.leave(policy_of(id));
    unexpect_all(id);
    table_.erase(id);
}

void Conntrack::flush(Instant now) {
    iterate([](ConnId) { return true; }, now);
}

void Conntrack::iterate(Sweeps::Visit visit, Instant now) {
    now_ = now;
    sweeps_.add(std::move(visit));
    sweep_batch(now);
}

void Conntrack::sweep_batch(Instant now) {
    doomed_.clear();
    sweeps_.advance(table_, doomed_);
    for (const ConnId id : doomed_) {
        destroy(id, now);
    }
}

// kernel: gc_worker
bool Conntrack::expire(Instant now) {
    now_ = now;
    put_killed();
    sweep_batch(now);
    expire_expectations(to_jiffies(now));
    const bool complete = expire_batch(now);
    return complete && !sweeps_.pending();
}

bool Conntrack::expire_batch(Instant now) {
    doomed_.clear();
    const bool complete = table_.collect_expired(to_jiffies(now), kExpiryBatch, doomed_);
    for (const ConnId id : doomed_) {
        erase(id, now);
    }
    return complete;
}

std::optional<Instant> Conntrack::next_deadline() const {
    if (sweeps_.pending()) {
        return now_;
    }
    const Instant next = std::min(instant_of(table_.next_deadline(), now_),
                                  instant_of(expectations().next_deadline(), now_));
    return next == kNever ? std::nullopt : std::optional(next);
}

}  // namespace nsr::conntrack
