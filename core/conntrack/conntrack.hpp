// Conntrack: gives every packet its connection and its state, and keeps the connections.
//
// Theory of operation
//   track() runs in PREROUTING and OUTPUT: it finds or makes (unconfirmed) the connection of a
//   packet, lets the protocol's tracker judge the packet, and leaves `meta.conn` and
//   `meta.ct_info`. A packet that no tracker can place is INVALID: that is a value for rules to
//   judge, not a drop. confirm() runs last, in INPUT and POSTROUTING: it makes a new connection
//   findable. A packet that dies in between takes its unconfirmed connection along: release() it.
//   ICMP errors carry the connection whose header they quote (RELATED); they never refresh it.
//
//   The life of a record:
//
//             track()                confirm(): NEW
//     free -----------> unconfirmed ---------------> confirmed --.  track(): REPLY, ASSURED,
//      ^                     |                         | |  ^    |  PROTOINFO; set_mark(),
//      |  release(), INVALID,|                         | |  '----'  update(): MARK, ...
//      |<- confirm() clashes-'                         | |
//      |                                               | | kill(): DESTROY
//      |                                               | v
//      |<-- expire(), destroy(), make_room(): DESTROY -' dying, found by nobody
//      |                                                 |
//      '---------- put_killed(): its packet is through --'
//
//   A record that was freed may be handed out again at once: an id is good for the packet at hand.
//   What goes over the whole table (expire(), iterate()) takes a bounded number at a time.
//   A connection that a helper follows announces others, which track() then finds: helping.hpp.
//   Nothing outside writes a record: what changes one goes through a method of this class, which
//   leaves an event (event_cache.hpp) for those who subscribed. Time comes in as an Instant;
//   nothing here reads a clock.
// kernel: nf_conntrack_in, __nf_conntrack_confirm, nf_conntrack_icmp*.c, nf_conntrack_proto_*.c
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/base/siphash.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/callbacks.hpp"
#include "core/conntrack/event_cache.hpp"
#include "core/conntrack/helping.hpp"
#include "core/conntrack/lookahead.hpp"
#include "core/conntrack/names.hpp"
#include "core/conntrack/rate_limit.hpp"
#include "core/conntrack/record/change.hpp"
#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/shard.hpp"
#include "core/conntrack/stats.hpp"
#include "core/conntrack/sweep.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/conntrack/timeout_policies.hpp"
#include "core/conntrack/trackers/protocol.hpp"
#include "core/packet/packet.hpp"

namespace nsr::conntrack {

class Conntrack : public Helping, public Callbacks {
  public:
    // What whoever owns the router gives to its tracking.
    struct Resources {
        SipKey key;
        LogSink& log;
        std::unique_ptr<Memory> memory;  // null: anonymous
        ShardPlace shard = {};
    };
    Conntrack(const Settings& settings, Resources resources);
    ~Conntrack();
    Conntrack(const Conntrack&) = delete;
    Conntrack& operator=(const Conntrack&) = delete;
    // Off: packets pass untracked and the table is empty (the module is not loaded).
    void set_active(Family family, bool active, Instant now);
    [[nodiscard]] bool active(Family family) const;
    // PREROUTING, or OUTPUT when the packet is locally generated (no checksum is verified then, as
    // in the kernel). Drops only where the kernel does: table full, tracker refusal.
    Verdict track(Packet& packet, Instant now);
    // The packets that track() sees next, so that the table is ready for them; see Lookahead.
    void begin_batch(std::span<const Packet> packets) { lookahead_.begin(packets, table_); }
    void end_batch() { lookahead_.end(); }
    // Last in INPUT and POSTROUTING. kernel: nf_conntrack_confirm
    Verdict confirm(Packet& packet, Instant now);
    // The packet dies here: drop its connection if it is unconfirmed and nobody else's. Safe to
    // call for any packet.
    void release(Packet& packet);
    // An error or reset the router itself makes about `cause` belongs to cause's connection.
    // kernel: nf_ct_attach
    void attach(Packet& generated, const Packet& cause) const;
    // REJECT answered this packet of a TCP connection with a reset: the connection is closing.
    // kernel: nf_ct_set_closing
    void set_closing(const Packet& packet, Instant now);
    // Everything that changes a connection beside its packets comes through one of these.
    // Nothing changed where that is refused.
    [[nodiscard]] Result<Done, Refusal> update(ConnId id, const Change& change, Instant now);
    // Confirmed at once. `translate` sets NAT up before that; false: it cannot.
    using Translate = std::function<bool(ConnId)>;
    [[nodiscard]] Result<ConnId, Refusal> insert(const NewConnection& wanted,
                                                 const Translate& translate, Instant now);
    void zero_counters(ConnId id);  // conntrack -z. kernel: IPCTNL_MSG_CT_GET_CTRZERO
    // kernel: connmark_tg
    void set_mark(ConnId id, Mark mark);
    // Sets one of 128 labels. False: no memory. kernel: connlabel_set_bit
    bool set_label(ConnId id, unsigned label);
    [[nodiscard]] bool has_label(ConnId id, unsigned label) const;
    // What NAT does to an unconfirmed connection. False: no memory. kernel: nf_nat_setup_info
    [[nodiscard]] bool alter_reply(ConnId id, const Tuple& reply);
    // `bits`: of status::kNatMask, kNatDoneMask and kOneWayRefresh.
    void set_nat(ConnId id, std::uint32_t bits, RuleId rule);
    void set_masqueraded_behind(ConnId id, IfIndex interface);
    // The connection keeps what it has, but has to be accepted again: from now on
    // awaits_recheck() is true of its packets, until accept_again().
    void recheck(ConnId id);
    [[nodiscard]] bool awaits_recheck(const Packet& packet) const;
    void accept_again(ConnId id, RuleId rule);
    void subscribe(EventSubscriber& subscriber) { events_.subscribe(subscriber); }
    void unsubscribe(EventSubscriber& subscriber) { events_.unsubscribe(subscriber); }
    [[nodiscard]] const Table& table() const { return table_; }
    [[nodiscard]] Shard& shard() { return shard_; }
    [[nodiscard]] const Shard& shard() const { return shard_; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    // Counts from the next packet on; another number of buckets resizes the index.
    void set_settings(const Settings& settings);
    [[nodiscard]] Stats& stats() { return stats_; }  // of shards they are sums
    [[nodiscard]] const Stats& stats() const { return stats_; }
    [[nodiscard]] const InvalidNote& invalid_note() const { return invalid_note_; }
    [[nodiscard]] TimeoutPolicies& timeout_policies() { return policies_; }
    [[nodiscard]] const TimeoutPolicies& timeout_policies() const { return policies_; }

    // The zone in which a packet going in `direction` of a record is looked up.
    [[nodiscard]] Zone zone_of(ConnId id, Direction direction) const;
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    // Erases what is over, a few hundred at most. False: call again, next_deadline() is not later.
    bool expire(Instant now);
    // Removes a confirmed connection now. kernel: nf_ct_delete
    void destroy(ConnId id, Instant now, ChangedBy by = ChangedBy::Router);
    // Removes the connections for which `visit` says true, the first few hundred now, others as
    // expire() is called: it must not refer to what dies before. kernel: nf_ct_iterate_cleanup_net
    void iterate(Sweeps::Visit visit, Instant now);
    void flush(Instant now);  // conntrack -F

  private:
    bool track_icmp(Packet& packet, Instant now);
    bool track_error(Packet& packet, const Tuple& quoted, Instant now);
    Verdict track_flow(Packet& packet, Instant now);
    bool judge_packet(Packet& packet, const Hit& hit, Instant now);
    [[nodiscard]] bool verifies_checksum(const Packet& packet) const;
    [[nodiscard]] Lookahead::Lookup lookup_of(std::optional<Tuple> tuple) const;
    [[nodiscard]] std::optional<Hit> find(const Lookahead::Lookup& lookup, const Meta& meta,
                                          Jiffies now) const;
    [[nodiscard]] TimeoutPolicyId policy_of(ConnId id) const;
    [[nodiscard]] const Timeouts& timeouts_of(ConnId id) const;
    Result<ConnId, DropReason> create(const Packet& packet, const Tuple& tuple, const Tuple& reply,
                                      Instant now);
    bool fill(ConnId id, const Tuple& tuple, const Tuple& reply, const Meta& meta,
              const std::optional<Expectation>& expected);
    Result<Done, Refusal> admit(ConnId id, const Change& with, Instant now);
    [[nodiscard]] bool carries_events(const Meta& meta) const;
    bool add_extra(ConnId id, const Meta& meta);
    bool make_room(Instant now);
    bool expire_batch(Instant now);
    void sweep_batch(Instant now);
    [[nodiscard]] InvalidLog invalid_log(Instant now);
    void account(ConnId id, Direction direction, std::uint32_t bytes);
    void kill(ConnId id, Instant now);
    void put_killed();
    void erase(ConnId id, Instant now, ChangedBy by = ChangedBy::Router);
    void free(ConnId id);

    Settings settings_;
    Stats stats_;
    LogSink& log_;
    Table table_;
    Shard shard_;
    TimeoutPolicies policies_;
    std::array<bool, 2> active_{};
    bool rechecks_ = false;  // recheck() was called for one, at some time
    RateLimit full_log_;
    InvalidNote invalid_note_;
    EventCache events_;
    Lookahead lookahead_;
    Sweeps sweeps_;
    ConnId killed_ = ConnId::None;  // over, but the packet that killed it is still on its way
    Instant now_{};                 // of the last call; what next_deadline() is relative to
    std::vector<ConnId> doomed_;    // room for one batch
};

}  // namespace nsr::conntrack
