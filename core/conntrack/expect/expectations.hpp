// Expectations: the connections that others announced, until they come, their time is over or
// their master ends.
//
// Theory of operation
//   An expectation is found by destination, protocol and port (a keyed hash), then its source is
//   compared as far as it is known. Each belongs to its master, whose Help holds the newest of
//   them; how many it may have at a time says the policy of the master's helper, how many there
//   may be in all nf_conntrack_expect_max. Slots are numbered from 1 and handed out again.
//   Deadlines are looked at when somebody asks: one that is over is found by nobody.
// kernel: nf_conntrack_expect.c
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/siphash.hpp"
#include "core/conntrack/expect/expectation.hpp"

namespace nsr::conntrack {

// The number of a slot; 0: none.
using ExpectId = std::uint32_t;

class Expectations {
  public:
    explicit Expectations(SipKey key) : key_(key), buckets_(kBuckets, kNone) {}

    [[nodiscard]] const Expectation& operator[](ExpectId id) const { return slots_[id - 1].body; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] std::size_t bytes_in_use() const { return slots_.size() * sizeof(Slot); }

    // The newest that `tuple` fits and whose master `wanted` accepts.
    using Wanted = std::function<bool(const Expectation&)>;
    [[nodiscard]] ExpectId find(const Tuple& tuple, Jiffies now, const Wanted& wanted) const;
    // The newest with the same place in the hash for which `wanted` holds.
    [[nodiscard]] ExpectId find_beside(const Tuple& tuple, Jiffies now, const Wanted& wanted) const;

    // `newest` is the head of the list of its master, which changes with it.
    ExpectId insert(const Expectation& expectation, std::uint32_t& newest);
    void erase(ExpectId id, std::uint32_t& newest);
    // It may be found from now on, until `deadline`.
    void activate(ExpectId id, Jiffies deadline);

    // The next older one of the same master; 0: that was the last.
    [[nodiscard]] ExpectId older(ExpectId id) const { return slots_[id - 1].older; }
    // All of them, in the order of their slots: the first one behind `after` (0: the first).
    [[nodiscard]] ExpectId next(ExpectId after) const;
    // No later than the earliest deadline; nothing if there is none.
    [[nodiscard]] std::optional<Jiffies> next_deadline() const { return due_; }
    // Appends those that are over; the caller erases them.
    void collect_expired(Jiffies now, std::vector<ExpectId>& out);

  private:
    static constexpr std::uint32_t kNone = 0;
    static constexpr std::size_t kBuckets = 256;

    struct Slot {
        Expectation body;
        bool used = false;
        ExpectId in_bucket = kNone;  // next of the bucket, or of the free slots
        ExpectId older = kNone;      // next of the master
    };

    [[nodiscard]] std::size_t bucket_of(const Tuple& tuple) const;
    void hasten(Jiffies deadline);

    SipKey key_;
    std::vector<ExpectId> buckets_;
    std::vector<Slot> slots_;
    ExpectId free_ = kNone;
    std::size_t count_ = 0;
    std::optional<Jiffies> due_;
};

// Does a connection with `tuple` fit? kernel: nf_ct_exp_equal, without the zone
bool fits(const Expectation& expectation, const Tuple& tuple);
// Do both expect the very same? kernel: expect_matches
bool same_flow(const Expectation& a, const Expectation& b);
// Might one connection fit both? kernel: expect_clash
bool overlap(const Expectation& a, const Expectation& b);

}  // namespace nsr::conntrack
