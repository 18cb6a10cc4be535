// Wheel: when to look at which connection again.
//
// Theory of operation
//   Six levels of up to 64 slots; a slot of level n covers 64^n jiffies. A record is linked into
//   the level of the highest 6-bit digit in which its deadline differs from the wheel's position,
//   and into the slot of that digit, so a level 0 slot is one exact jiffy. When the position
//   reaches a slot, its records are placed again by the deadlines they have by then: that is how a
//   deadline that was moved away costs nothing until then. Digits of the top level wrap around
//   with the 32-bit jiffies. A bit per occupied slot lets the position jump over days at once.
//   Records whose deadline has passed wait in the list of the due, first in, first out, until the
//   caller erases them; one that was given more time meanwhile goes back into a slot.
//   Lists are linked through the records; the first one names its list instead of a predecessor.
// kernel: gc_worker (which finds the expired by scanning; the instant of DESTROY differs)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/conntrack/table/arena.hpp"

namespace nsr::conntrack {

class Wheel {
  public:
    // A record is looked at again within this time, however far its deadline is: only who moves a
    // deadline nearer than this has to say so. TCP moves it between five days and five minutes with
    // every piece of data and its acknowledgment.
    static constexpr Jiffies kHorizon = 300 * kJiffiesPerSecond;

    // `records` must outlive the wheel.
    explicit Wheel(Arena<Connection>& records);

    // Link a record by its deadline. Precondition: it is not linked.
    void arm(std::uint32_t number, Jiffies now);
    // Precondition: it is linked.
    void disarm(std::uint32_t number);

    // Not later than the first deadline; nothing if no record is linked.
    [[nodiscard]] std::optional<Jiffies> next() const;
    // Appends the records due at `now`, in the order of their deadlines, at most `limit`; looks at
    // a few times as many records at most. They stay linked. False: there may be more.
    bool collect(Jiffies now, std::size_t limit, std::vector<ConnId>& out);

  private:
    static constexpr unsigned kLevels = 6;
    static constexpr unsigned kDigitBits = 6;
    static constexpr std::uint32_t kSlotsPerLevel = 1u << kDigitBits;
    static constexpr std::uint32_t kDue = kLevels * kSlotsPerLevel;
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::uint32_t kIsList = 0x80000000;  // in wheel_previous: the list's number

    struct Slot {
        unsigned level;
        std::uint32_t list;
        Jiffies starts;
    };

    [[nodiscard]] unsigned digit(Jiffies when, unsigned level) const;
    [[nodiscard]] std::optional<Slot> next_slot() const;
    void place(std::uint32_t number, Jiffies now);
    void push_front(std::uint32_t list, std::uint32_t number);
    void push_due(std::uint32_t number);
    void unlink(std::uint32_t number);
    bool turn(Jiffies now, std::size_t enough);
    bool drain(const Slot& slot, Jiffies now, std::size_t& budget, std::size_t& enough);
    void vacate(std::uint32_t list);

    Arena<Connection>& records_;
    Jiffies position_ = 0;  // the first jiffy whose slots have not all been looked at
    std::size_t linked_ = 0;
    std::uint32_t last_due_ = kNone;
    std::array<std::uint64_t, kLevels> occupied_{};
    std::array<std::uint32_t, kDue + 1> first_;
};

}  // namespace nsr::conntrack
