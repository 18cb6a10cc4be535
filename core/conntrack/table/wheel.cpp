#include "core/conntrack/table/wheel.hpp"

#include <bit>

namespace nsr::conntrack {
namespace {

constexpr std::size_t kLooksPerResult = 4;
constexpr std::size_t kLooksAtLeast = 1024;
constexpr unsigned kTopLevelDigits = 4;  // 32 bits leave two for the sixth digit

}  // namespace

Wheel::Wheel(Arena<Connection>& records) : records_(records) {
    first_.fill(kNone);
}

void Wheel::arm(std::uint32_t number, Jiffies now) {
    if (linked_ == 0) {
        position_ = now;
    }
    ++linked_;
    place(number, now);
}

void Wheel::disarm(std::uint32_t number) {
    unlink(number);
    --linked_;
}

std::optional<Jiffies> Wheel::next() const {
    if (first_[kDue] != kNone) {
        return position_ - 1;
    }
    const std::optional<Slot> slot = next_slot();
    return slot ? std::optional(slot->starts) : std::nullopt;
}

bool Wheel::collect(Jiffies now, std::size_t limit, std::vector<ConnId>& out) {
    const bool reached = turn(now, limit);
    std::size_t room = limit;
    std::uint32_t number = first_[kDue];
    const std::uint32_t last = last_due_;
    for (bool more = number != kNone; more && room != 0;) {
        const std::uint32_t following = records_[number].wheel_next;
        more = number != last;
        if (jiffies_until(records_[number].deadline, now) > 0) {
            unlink(number);
            place(number, now);
        } else {
            out.push_back(ConnId{number});
            --room;
        }
        number = following;
    }
    return reached && room != 0;
}

// Moves the position beyond `now`, or until `enough` records became due or many were looked at;
// true if it got there.
bool Wheel::turn(Jiffies now, std::size_t enough) {
    std::size_t budget = kLooksAtLeast + enough * kLooksPerResult;
    while (const std::optional<Slot> slot = next_slot()) {
        if (jiffies_until(slot->starts, now) > 0) {
            break;
        }
        position_ = slot->starts;
        if (!drain(*slot, now, budget, enough)) {
            return false;
        }
    }
    if (jiffies_until(now + 1, position_) > 0) {
        position_ = now + 1;
    }
    return true;
}

// Puts its records where they belong by now, which is never here again: the position has come to
// it. All of them leave at once, so that none has to mend the list for the next one; what is beyond
// `budget` or `enough` stays: false.
bool Wheel::drain(const Slot& slot, Jiffies now, std::size_t& budget, std::size_t& enough) {
    std::uint32_t number = first_[slot.list];
    first_[slot.list] = kNone;
    while (number != kNone && budget != 0 && enough != 0) {
        --budget;
        const std::uint32_t following = records_[number].wheel_next;
        if (slot.level == 0 && jiffies_until(records_[number].deadline, position_) <= 0) {
            push_due(number);
            --enough;
        } else {
            place(number, now);
        }
        number = following;
    }
    if (number == kNone) {
        vacate(slot.list);
        return true;
    }
    first_[slot.list] = number;
    records_[number].wheel_previous = kIsList | slot.list;
    return false;
}

// The slot that the position reaches first. Slots of upper levels that begin here come first: their
// records may belong into lower ones.
std::optional<Wheel::Slot> Wheel::next_slot() const {
    for (unsigned level = kLevels; level-- > 0;) {
        const unsigned here = digit(position_, level);
        if ((occupied_[level] >> here & 1) != 0) {
            return Slot{level, level * kSlotsPerLevel + here, position_};
        }
    }
    for (unsigned level = 0; level < kLevels; ++level) {
        if (occupied_[level] == 0) {
            continue;
        }
        const unsigned here = digit(position_, level);
        const unsigned shift = level * kDigitBits;
        unsigned ahead = static_cast<unsigned>(std::countr_zero(occupied_[level] >> here));
        if (level == kLevels - 1) {
            const auto top = static_cast<unsigned>(occupied_[level]);
            const unsigned turned = (top >> here | top << (kTopLevelDigits - here)) & 0xf;
            ahead = static_cast<unsigned>(std::countr_zero(turned));
        }
        const Jiffies starts = ((position_ >> shift) + ahead) << shift;
        return Slot{level, level * kSlotsPerLevel + digit(starts, level), starts};
    }
    return std::nullopt;
}

unsigned Wheel::digit(Jiffies when, unsigned level) const {
    return when >> (level * kDigitBits) & (kSlotsPerLevel - 1);
}

// Links a record where its deadline belongs, seen from the position.
void Wheel::place(std::uint32_t number, Jiffies now) {
    Jiffies deadline = records_[number].deadline;
    if (jiffies_until(deadline, position_) < 0) {
        push_due(number);
        return;
    }
    if (jiffies_until(deadline, now) > static_cast<std::int32_t>(kHorizon)) {
        deadline = now + kHorizon;
    }
    const Jiffies difference = deadline ^ position_;
    const unsigned level =
        difference == 0 ? 0 : (static_cast<unsigned>(std::bit_width(difference)) - 1) / kDigitBits;
    const unsigned slot = digit(deadline, level);
    occupied_[level] |= std::uint64_t{1} << slot;
    push_front(level * kSlotsPerLevel + slot, number);
}

void Wheel::push_front(std::uint32_t list, std::uint32_t number) {
    Connection& record = records_[number];
    record.wheel_next = first_[list];
    record.wheel_previous = kIsList | list;
    if (first_[list] != kNone) {
        records_[first_[list]].wheel_previous = number;
    }
    first_[list] = number;
}

void Wheel::push_due(std::uint32_t number) {
    Connection& record = records_[number];
    if (last_due_ == kNone) {
        push_front(kDue, number);
    } else {
        record.wheel_next = kNone;
        record.wheel_previous = last_due_;
        records_[last_due_].wheel_next = number;
    }
    last_due_ = number;
}

void Wheel::unlink(std::uint32_t number) {
    const std::uint32_t previous = records_[number].wheel_previous;
    const std::uint32_t following = records_[number].wheel_next;
    const bool is_first = (previous & kIsList) != 0;
    if (following != kNone) {
        records_[following].wheel_previous = previous;
    } else if (number == last_due_) {
        last_due_ = is_first ? kNone : previous;
    }
    if (!is_first) {
        records_[previous].wheel_next = following;
        return;
    }
    const std::uint32_t list = previous & ~kIsList;
    first_[list] = following;
    if (following == kNone && list != kDue) {
        vacate(list);
    }
}

void Wheel::vacate(std::uint32_t list) {
    occupied_[list / kSlotsPerLevel] &= ~(std::uint64_t{1} << list % kSlotsPerLevel);
}

}  // namespace nsr::conntrack
