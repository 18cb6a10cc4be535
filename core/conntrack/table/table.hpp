// Table: every connection, found by either of its tuples.
//
// Theory of operation
//   Records (Connection) lie in an arena of fixed chunks and are named by ConnId; side arenas hold
//   IPv6 addresses (V6Addresses), Extra and Help. The index has buckets of one cache line: 12 tags,
//   12 references, an overflow count. Its keyed hash is symmetric in the two ends of a tuple, so an
//   untranslated connection needs one reference, matching both of its directions; a connection
//   whose reply is not the exact reverse of its original (translated, ICMP types canonicalised
//   before hashing, zones per direction, GRE keys) gets one reference per direction, each matching
//   exactly. A tuple that is its own reverse is found as Original. Life cycle: allocate() gives an
//   unconfirmed record (counted, not findable); insert() makes it findable and writes its commit
//   word last; erase() clears the commit word first. Deadlines are lazy: changing `deadline` costs
//   nothing, a hashed timer wheel looks again when its slot comes up. find() never returns a
//   connection past its deadline. The index grows in small steps while packets flow. Only records
//   persist: recover() rebuilds the rest from a mapped file, believing nothing that the commit word
//   does not cover. The parts: arena.hpp, tuple_key.hpp (comparing and hashing), index.hpp,
//   wheel.hpp, eviction.hpp; parts.hpp joins them.
// kernel: nf_conntrack_core.c (hash_conntrack_raw, nf_conntrack_find_get, nf_conntrack_tuple_taken,
// gc_worker)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/siphash.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/record/help.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/conntrack/table/arena.hpp"
#include "core/conntrack/table/memory.hpp"

namespace nsr::conntrack {

struct TableParts;

class Table {
  public:
    Table(SipKey key, std::uint32_t buckets, std::unique_ptr<Memory> memory = anonymous_memory());
    ~Table();
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    [[nodiscard]] Connection& operator[](ConnId id) { return (*records_)[raw(id)]; }
    [[nodiscard]] const Connection& operator[](ConnId id) const { return (*records_)[raw(id)]; }
    // Full tuples of a record, IPv6 addresses included.
    [[nodiscard]] Tuple tuple(ConnId id, Direction direction) const;
    // Sets the tuple of an unconfirmed record. NAT changes the reply this way (kernel:
    // nf_conntrack_alter_reply). False: no memory for IPv6 addresses.
    bool set_tuple(ConnId id, Direction direction, const Tuple& tuple);

    // The side record, made on demand; extra() null if there is none, need_extra() null if memory
    // is out.
    [[nodiscard]] Extra* extra(ConnId id);
    [[nodiscard]] const Extra* extra(ConnId id) const;
    Extra* need_extra(ConnId id);
    // The side record of a side record, likewise.
    [[nodiscard]] Help* help(ConnId id);
    [[nodiscard]] const Help* help(ConnId id) const;
    Help* need_help(ConnId id);

    // A tuple may be hashed before it is looked up.
    [[nodiscard]] std::uint64_t hash_of(const Tuple& tuple, Zone zone) const;
    struct Upcoming {
        std::uint64_t hash;
        bool changes_protocol_state;
    };
    // Brings closer what these lookups and their packets will touch. It carries no result.
    void prefetch(std::span<const Upcoming> lookups) const;
    // The live, confirmed connection one of whose tuples is `tuple` in `zone`. `zone` is what the
    // packet's direction uses: a record whose zone does not count for that direction is in zone 0
    // there.
    // `only`: none but a connection that has it in this direction.
    [[nodiscard]] std::optional<Hit> find(const Tuple& tuple, Zone zone, Jiffies now,
                                          std::optional<Direction> only = {}) const;
    // The same for a tuple whose hash_of() in `zone` is `hash`.
    [[nodiscard]] std::optional<Hit> find_hashed(const Tuple& tuple, Zone zone, std::uint64_t hash,
                                                 Jiffies now) const;
    // Is `tuple` already somebody's, other than `except`? kernel: nf_conntrack_tuple_taken
    [[nodiscard]] bool taken(const Tuple& tuple, Zone zone, ConnId except, Jiffies now) const;

    // An unconfirmed record, cleared; nothing if memory is out. Limits are the caller's business.
    std::optional<ConnId> allocate();
    // Confirm: findable from now on, deadline armed, CONFIRMED set. False if one of its tuples is
    // taken or memory is out (nothing changed). Precondition: unconfirmed, tuples, zones and
    // deadline set; tuples and zones never change again.
    bool insert(ConnId id, Jiffies now);
    // Forget a record, confirmed or not; its id may be handed out again at once.
    void erase(ConnId id);

    // Entries, unconfirmed ones included. kernel: nf_conntrack_count
    [[nodiscard]] std::uint32_t size() const;
    [[nodiscard]] std::uint32_t buckets() const;
    void resize(std::uint32_t buckets);  // incremental; done while packets flow
    [[nodiscard]] std::size_t bytes_in_use() const;

    // A walk that survives changes: the first confirmed record with an id greater than `after`
    // (nothing: from the start).
    [[nodiscard]] std::optional<ConnId> next(std::optional<ConnId> after) const;

    // The same in portions: looks at no more places than `looks` says, and counts them off.
    // Nothing: `looks` is used up, or that was the last record.
    struct Cursor {
        std::uint32_t at = 0;
        bool over = false;
    };
    [[nodiscard]] std::optional<ConnId> next(Cursor& cursor, std::size_t& looks) const;

    // The earliest instant at which collect_expired() may find something; nothing if the table is
    // empty.
    [[nodiscard]] std::optional<Jiffies> next_deadline() const;
    // Appends to `out` the confirmed records whose deadline has passed at `now`, at most `limit`;
    // they are still in the table and the caller erases them. False: there may be more.
    bool collect_expired(Jiffies now, std::size_t limit, std::vector<ConnId>& out);
    // Tell the wheel that `deadline` of a confirmed record was moved nearer; moving it away, or to
    // somewhere still kLooksWithin or more ahead, needs no call.
    static constexpr Jiffies kLooksWithin = 300 * kJiffiesPerSecond;
    void deadline_lowered(ConnId id, Jiffies now);

    // The best confirmed record to evict when the table is full: never ASSURED, never DYING;
    // UNREPLIED before replied, nearest deadline first, among a bounded number of candidates.
    // Nothing if none was found within the bound. differs: early-drop-search
    [[nodiscard]] std::optional<ConnId> victim(Jiffies now);

    // Take in the records that the memory already holds (Memory::blocks_held): rebuild index, wheel
    // and free lists from the valid ones, forget the others. `clock_shift` is added to the times in
    // them: jiffies of the clock now less jiffies of the clock then, at one and the same moment.
    // Returns how many live. Precondition: the table was never used. Only tests call it so far:
    // connections do not survive a restart yet.
    std::size_t recover(Jiffies now, Jiffies clock_shift = 0);

  private:
    [[nodiscard]] bool zone_is_one_sided(const Connection& record) const;

    std::unique_ptr<TableParts> parts_;
    Arena<Connection>* records_;  // of the parts
};

}  // namespace nsr::conntrack
