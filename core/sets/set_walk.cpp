// A Set as a list: its elements one after the other, and the members of a list:set.
#include <algorithm>

#include "core/sets/set.hpp"

namespace nsr::sets {

Set::Step Set::walk(std::uint64_t& cursor, Entry& entry, Instant now) const {
    const std::uint64_t at = cursor++;
    Place place = kNoPlace;
    if (type().storage == Storage::Bitmap) {
        if (at > (spec_.last - spec_.first) / spec_.hosts()) {
            return Step::End;
        }
        place = table_.find(Key{static_cast<std::uint32_t>(at)}.data());
    } else if (type().storage == Storage::List) {
        if (at >= order_.size()) {
            return Step::End;
        }
        place = order_[at];
    } else {
        if (at >= table_.places()) {
            return Step::End;
        }
        place = table_.used(static_cast<Place>(at)) ? static_cast<Place>(at) : kNoPlace;
    }
    if (place == kNoPlace || extras_.expired(table_.extra(place), now)) {
        return Step::Gap;
    }
    entry = {element_at(place), extras_.read(table_.extra(place), now)};
    return Step::Entry;
}

SetId Set::member(Place place) const {
    return static_cast<SetId>(*table_.key(place));
}

// kernel: list_set_uadd
Failure Set::add_member(SetId member, const Extensions& given, bool exist,
                        const std::optional<Position>& position, Instant now) {
    auto at = order_.end();
    if (position) {
        at = std::find_if(order_.begin(), order_.end(),
                          [&](Place place) { return this->member(place) == position->other; });
        if (at == order_.end()) {
            return Failure::ReferenceNotAdded;
        }
        at += position->before ? 0 : 1;
    }
    const Element element{.set = member};
    if (find(element, now) != kNoPlace) {
        return add(element, given, exist, now);
    }
    const auto index = at - order_.begin();
    if (const Failure failure = add(element, given, exist, now); failure != Failure::None) {
        return failure;
    }
    const Place place = find(element, now);
    order_.insert(order_.begin() + std::min<std::ptrdiff_t>(index, std::ssize(order_)), place);
    return Failure::None;
}

// kernel: list_set_udel
Failure Set::remove_member(SetId member, bool exist, const std::optional<Position>& position,
                           Instant now) {
    if (has_member(member, std::nullopt, now) && !has_member(member, position, now)) {
        return Failure::ReferenceNotAdded;
    }
    return remove({.set = member}, exist, now);
}

// Next to the other one, if one is named. kernel: list_set_utest
bool Set::has_member(SetId member, const std::optional<Position>& position, Instant now) const {
    const auto found = std::find_if(order_.begin(), order_.end(), [&](Place place) {
        return this->member(place) == member && !extras_.expired(table_.extra(place), now);
    });
    if (found == order_.end() || !position) {
        return found != order_.end();
    }
    if (position->before) {
        return found + 1 != order_.end() && this->member(found[1]) == position->other;
    }
    return found != order_.begin() && this->member(found[-1]) == position->other;
}

}  // namespace nsr::sets
