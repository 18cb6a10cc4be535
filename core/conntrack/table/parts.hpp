// TableParts: the parts of the connection table and how they hang together. Only the table's own
// files include this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/prefetch.hpp"
#include "core/conntrack/table/arena.hpp"
#include "core/conntrack/table/eviction.hpp"
#include "core/conntrack/table/index.hpp"
#include "core/conntrack/table/memory.hpp"
#include "core/conntrack/table/tuple_key.hpp"
#include "core/conntrack/table/wheel.hpp"

namespace nsr::conntrack {

inline Direction direction_of(Reference reference) {
    return (reference & kReplyReference) != 0 ? Direction::Reply : Direction::Original;
}

struct TableParts final : HashSource {
    TableParts(SipKey key, std::uint32_t buckets, std::unique_ptr<Memory> from);

    // The tuple of a record as it is looked up. Refers to the record's side memory.
    [[nodiscard]] TupleKey key_of(const Connection& record, Direction direction) const;
    [[nodiscard]] TupleKey key_under(Reference reference) const {
        return key_of(records[reference & kReferenceNumber], direction_of(reference));
    }
    [[nodiscard]] bool has(const Connection& record, Direction direction,
                           const TupleKey& key) const;
    // The direction in which the record that `reference` refers to has `key`.
    [[nodiscard]] std::optional<Direction> match(Reference reference, const TupleKey& key) const;
    // The first live connection that has `key` and for which `wanted(hit)` holds.
    template <class Wanted>
    std::optional<Hit> find(const TupleKey& key, Jiffies now, Wanted&& wanted) const {
        return find(key, hash(key), now, wanted);
    }
    // Precondition: `hashed` is the hash of `key`.
    template <class Wanted>
    std::optional<Hit> find(const TupleKey& key, std::uint64_t hashed, Jiffies now,
                            Wanted&& wanted) const;

    // Valid iff it equals the record's `commit`; covers what never changes once it is confirmed.
    [[nodiscard]] std::uint32_t commit_word(std::uint32_t number) const;
    // Into the index, the wheel and the count of the confirmed; the commit word is the caller's.
    bool enter(std::uint32_t number, Jiffies now);
    // Where others have the same tuple in the same zone, this one is found before them.
    void put_first(std::uint32_t number);
    void leave(std::uint32_t number);
    // These are about to leave, in this order, before another one enters: asks for the lines of the
    // index at which leave() will begin, and spares it the hashes.
    void foresee(std::span<const ConnId> leaving);
    void free_sides(Connection& record);

    struct Hashes {
        std::uint64_t original;
        std::uint64_t reply;
    };
    [[nodiscard]] Hashes hashes_of(std::uint32_t number) const;
    [[nodiscard]] Hashes foreseen_or_hashes_of(std::uint32_t number);
    [[nodiscard]] std::uint64_t hash_of(Reference reference) const override;
    void prefetch(Reference reference) const override;

    std::unique_ptr<Memory> memory;
    TupleHash hash;
    Arena<Connection> records;
    Arena<V6Addresses> addresses;
    Arena<Extra> extras;
    Arena<Help> helps;
    Index index;
    Wheel wheel;
    Eviction eviction;
    std::uint32_t buckets;
    std::uint32_t size = 0;  // unconfirmed ones included
    struct Foreseen {
        std::uint32_t number;
        Hashes hashes;
    };
    std::vector<Foreseen> foreseen;
    std::size_t next_foreseen = 0;  // to leave
};

// A record that is neither free nor confirmed says so in its wheel links, and a free one too.
inline constexpr std::uint32_t kUnlinked = 0xfffffffe;
inline constexpr std::uint32_t kFree = 0xfffffffd;

// Lines of the index for a number of buckets: room for four connections per bucket, which is the
// kernel's ratio of nf_conntrack_max to nf_conntrack_buckets.
std::uint32_t lines_for(std::uint32_t buckets);

inline bool expired(const Connection& record, Jiffies now) {
    return jiffies_until(record.deadline, now) <= 0;
}

inline TupleKey TableParts::key_of(const Connection& record, Direction direction) const {
    const bool original = direction == Direction::Original;
    TupleKey key{original ? record.original : record.reply, record.family, record.protocol,
                 record.zone};
    if (record.zone != 0 && record.extra != kNoSide) {
        const Extra& extra = extras[record.extra];
        key.zone = (original ? extra.zone_original : extra.zone_reply) ? record.zone : Zone{0};
    }
    if (record.family == Family::Ipv6) {
        const V6Addresses& v6 = addresses[record.v6];
        key.source6 = &v6.words[original ? 0 : 2];
        key.destination6 = &v6.words[original ? 1 : 3];
    }
    return key;
}

inline bool TableParts::has(const Connection& record, Direction direction,
                            const TupleKey& key) const {
    const bool original = direction == Direction::Original;
    if (!same(original ? record.original : record.reply, key.stored) ||
        record.family != key.family || record.protocol != key.protocol) {
        return false;
    }
    const bool plain = record.zone == 0 && record.family == Family::Ipv4;
    return plain ? key.zone == 0 : same(key_of(record, direction), key);
}

inline std::optional<Direction> TableParts::match(Reference reference, const TupleKey& key) const {
    const Connection& record = records[reference & kReferenceNumber];
    const Direction named = direction_of(reference);
    if (has(record, named, key)) {
        return named;
    }
    const bool both = record.has(status::kOneReference);
    return both && has(record, opposite(named), key) ? std::optional(opposite(named))
                                                     : std::nullopt;
}

template <class Wanted>
std::optional<Hit> TableParts::find(const TupleKey& key, std::uint64_t hashed, Jiffies now,
                                    Wanted&& wanted) const {
    Hit hit;
    const auto found = index.find(hashed, [&](Reference reference) {
        const std::uint32_t number = reference & kReferenceNumber;
        const std::optional<Direction> direction = match(reference, key);
        if (!direction || expired(records[number], now)) {
            return false;
        }
        hit = {ConnId{number}, *direction};
        return wanted(hit);
    });
    return found ? std::optional(hit) : std::nullopt;
}

}  // namespace nsr::conntrack
