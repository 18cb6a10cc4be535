// The elements of a Set over time: how they are put in, taken out, and swept.
#include <algorithm>

#include "core/sets/set.hpp"

namespace nsr::sets {

namespace {

constexpr std::size_t kRoomSteps = 64;

}  // namespace

Place Set::insert(const Element& element, const Key& key) {
    const Place place = table_.add(key.data());
    if (type().has(Part::Net)) {
        prefixes_.add({element.prefix, element.prefix2});
    }
    if (element.wildcard) {
        ++wildcards_[element.iface.size()];
    }
    reach_.add(begin_of(element));
    most_ = std::max(most_, table_.size());
    return place;
}

// The network that the first part of it stands for.
Prefix Set::begin_of(const Element& element) const {
    const auto bits = static_cast<std::uint8_t>(element.ip.bits());
    return {element.ip, type().first_is_net() ? element.prefix : spec_.netmask.value_or(bits)};
}

void Set::write(Place place, const Extensions& given, Instant now) {
    std::uint32_t* row = table_.extra(place);
    timed_ -= extras_.deadline(row) != 0 ? 1 : 0;
    extras_.write(row, given, spec_.timeout.value_or(0), now);
    timed_ += extras_.deadline(row) != 0 ? 1 : 0;
}

void Set::erase(Place place) {
    const Element element = element_at(place);
    if (type().has(Part::Net)) {
        prefixes_.remove({element.prefix, element.prefix2});
    }
    if (element.wildcard) {
        --wildcards_[element.iface.size()];
    }
    timed_ -= extras_.deadline(table_.extra(place)) != 0 ? 1 : 0;
    extras_.release(table_.extra(place));
    table_.remove(place);
}

// Once for all that were erased from a list: it may have tens of thousands of members.
void Set::forget_erased_members() {
    std::erase_if(order_, [&](Place place) { return !table_.used(place); });
}

// Expired elements near the hand go; with forceadd the hand's element, if need be.
// differs: set-forceadd, set-expired-room
bool Set::make_room(Instant now) {
    const std::size_t before = table_.size();
    if (timed_ != 0) {
        sweep(kRoomSteps, now);
    }
    for (std::size_t i = 0; spec_.forceadd && table_.size() == before && i < table_.places(); ++i) {
        hand_ = hand_ + 1 < table_.places() ? hand_ + 1 : 0;
        if (table_.used(hand_)) {
            erase(hand_);
        }
    }
    forget_erased_members();
    return table_.size() < before;
}

bool Set::sweep(std::size_t places, Instant now) {
    const std::size_t before = table_.size();
    hand_ = hand_ < table_.places() ? hand_ : 0;
    for (std::size_t i = 0; i < places && hand_ < table_.places(); ++i, ++hand_) {
        if (table_.used(hand_) && extras_.expired(table_.extra(hand_), now)) {
            erase(hand_);
        }
    }
    if (table_.size() != before) {
        forget_erased_members();
    }
    return hand_ >= table_.places();
}

Duration Set::sweep_period() const {
    constexpr std::uint32_t kLongest = 180;  // seconds. kernel: IPSET_GC_TIME
    return std::chrono::seconds(std::clamp(spec_.timeout.value_or(0) / 3, 1u, kLongest));
}

std::uint64_t Set::hashsize() const {
    constexpr std::uint64_t kLeast = 64;
    constexpr std::uint64_t kPerBucket = 4;  // about where a bucket of 12 is full
    constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
    std::uint64_t size = kLeast;
    while (size < kMost && (size < spec_.hashsize || size * kPerBucket < most_)) {
        size *= 2;
    }
    return size;
}

}  // namespace nsr::sets
