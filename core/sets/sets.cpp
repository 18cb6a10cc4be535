#include "core/sets/sets.hpp"

#include <algorithm>
#include <utility>

namespace nsr::sets {

std::optional<SetId> Sets::id_of(std::string_view name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

Set* Sets::find(std::string_view name) {
    const auto id = id_of(name);
    return id ? &get(*id) : nullptr;
}

const Set* Sets::find(std::string_view name) const {
    const auto id = id_of(name);
    return id ? &get(*id) : nullptr;
}

std::vector<SetId> Sets::all() const {
    std::vector<SetId> ids;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].set) {
            ids.push_back(static_cast<SetId>(i));
        }
    }
    const auto rank = [&](SetId id) {
        return std::pair(get(id).type().storage == Storage::List, slots_[raw_of(id)].created);
    };
    std::sort(ids.begin(), ids.end(), [&](SetId a, SetId b) { return rank(a) < rank(b); });
    return ids;
}

Catalogue Sets::catalogue() const {
    Catalogue catalogue;
    for (const Slot& slot : slots_) {
        if (slot.set) {
            catalogue.emplace(slot.name, Summary{slot.set->type().name, slot.set->spec().family});
        }
    }
    return catalogue;
}

// --- what an administrator does -----------------------------------------------------------------

std::uint32_t Sets::draw_initval() {
    return initvals_.next32();
}

std::unique_ptr<Set> Sets::make(const SetSpec& spec) {
    const std::uint64_t k0 = keys_.next64();
    return std::make_unique<Set>(spec, SipKey{k0, keys_.next64()});
}

// kernel: ip_set_create
Failure Sets::create(std::string_view name, const SetSpec& spec, bool exist) {
    if (const Failure wrong = spec.check(); wrong != Failure::None) {
        return wrong;
    }
    if (const Set* known = find(name)) {
        return exist && known->spec().same_as(spec) ? Failure::None : Failure::SetExists;
    }
    return place(name, make(spec));
}

Failure Sets::place(std::string_view name, std::unique_ptr<Set> set) {
    if (const auto id = id_of(name)) {
        Slot& slot = slots_[raw_of(*id)];
        discard(std::move(slot.set));
        give(slot, std::move(set));
        return Failure::None;
    }
    if (free_.empty()) {
        if (slots_.size() >= bounds_.sets) {
            return Failure::TooManySets;
        }
        free_.push_back(static_cast<SetId>(slots_.size()));
        slots_.emplace_back();
    }
    const SetId id = free_.back();
    free_.pop_back();
    ids_.emplace(name, id);
    Slot& slot = slots_[raw_of(id)];
    slot.name = name;
    slot.created = created_++;
    give(slot, std::move(set));
    return Failure::None;
}

void Sets::give(Slot& slot, std::unique_ptr<Set> set) {
    slot.set = std::move(set);
    lists_changed(*slot.set);
    slot.serial = serials_++;
    Holders::name(slot.set->reach(), slot.name);
    holders_.note(slot.set->reach());
    bytes_ += slot.set->bytes();
    if (slot.set->timed() != 0) {
        due_ = Instant{};
    }
}

Sets Sets::beside() {
    const std::uint64_t key_seed = keys_.next64();
    return {key_seed, initvals_.next64(), bounds_};
}

// What makes them smaller is fine at any time.
Failure Sets::may_adopt(const Sets& other, const std::vector<std::string>& names) const {
    std::size_t sets = ids_.size();
    std::size_t bytes = bytes_;
    for (const std::string& name : names) {
        if (const Set* comes = other.find(name)) {
            const Set* goes = find(name);
            sets += goes == nullptr ? 1 : 0;
            bytes += comes->bytes();
            bytes -= goes == nullptr ? 0 : goes->bytes();
        }
    }
    if (sets > bounds_.sets) {
        return Failure::TooManySets;
    }
    return bytes > std::max(bounds_.bytes, bytes_) ? Failure::OutOfMemory : Failure::None;
}

// Lists come last: their members are found by name.
Failure Sets::adopt(Sets&& other, const std::vector<std::string>& names, Instant now) {
    if (const Failure failure = may_adopt(other, names); failure != Failure::None) {
        return failure;
    }
    std::vector<std::pair<std::string_view, SetId>> lists;
    for (const std::string& name : names) {
        const auto id = other.id_of(name);
        if (!id) {
            continue;
        }
        if (other.get(*id).type().storage == Storage::List) {
            lists.emplace_back(name, *id);
        } else {
            place(name, std::move(other.slots_[raw_of(*id)].set));
        }
    }
    for (const auto& [name, id] : lists) {
        const Set& from = other.get(id);
        place(name, make(from.spec()));
        const SetId to = *id_of(name);
        Set::Entry entry;
        std::uint64_t cursor = 0;
        for (auto step = Set::Step::Gap; step != Set::Step::End;) {
            step = from.walk(cursor, entry, now);
            if (step == Set::Step::Entry) {
                add_member(to, {other.name_of(entry.element.set)}, entry.known, false, now);
            }
        }
    }
    return Failure::None;
}

// Walks over all lists, once for as many questions as come before a list changes.
const std::vector<std::size_t>& Sets::listed() const {
    if (!listed_) {
        listed_.emplace(bounds_.sets);
        for (const Slot& slot : slots_) {
            const bool is_list = slot.set != nullptr && slot.set->type().storage == Storage::List;
            for (const Place place : is_list ? slot.set->order() : std::vector<Place>{}) {
                ++(*listed_)[raw_of(slot.set->member(place))];
            }
        }
    }
    return *listed_;
}

void Sets::lists_changed(const Set& set) {
    if (set.type().storage == Storage::List) {
        listed_.reset();
    }
}

bool Sets::in_use(SetId id, const References& by_rules) const {
    return by_rules.contains(name_of(id)) || lists_with(id) != 0;
}

Failure Sets::destroy(std::string_view name, const References& by_rules) {
    const auto id = id_of(name);
    if (!id) {
        return Failure::NoSet;
    }
    if (in_use(*id, by_rules)) {
        return Failure::SetInUse;
    }
    drop(*id);
    return Failure::None;
}

// They are out of the way at once, and freed a few at a time.
Failure Sets::destroy_all(const References& by_rules) {
    const std::vector<std::size_t>& members = listed();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const bool held = members[i] != 0 || by_rules.contains(slots_[i].name);
        if (slots_[i].set != nullptr && held) {
            return Failure::SetInUse;
        }
    }
    going_.push_back({std::exchange(slots_, {}), std::exchange(ids_, {})});
    free_.clear();
    holders_.clear(trash_.chunks);
    listed_.reset();
    bytes_ = 0;
    return Failure::None;
}

Failure Sets::flush(std::string_view name) {
    Set* set = find(name);
    if (set == nullptr) {
        return Failure::NoSet;
    }
    holders_.forget(set->reach());
    return changed(*set, [&] {
        set->flush(trash_);
        return Failure::None;
    });
}

// kernel: ip_set_rename
Failure Sets::rename(std::string_view from, std::string_view to, const References& by_rules) {
    const auto id = id_of(from);
    if (!id) {
        return Failure::NoSet;
    }
    if (in_use(*id, by_rules)) {
        return Failure::RenameInUse;
    }
    if (id_of(to)) {
        return Failure::RenameExists;
    }
    ids_.erase(std::string(from));
    ids_.emplace(to, *id);
    slots_[raw_of(*id)].name = to;
    Reach& reach = get(*id).reach();
    holders_.forget(reach);
    Holders::name(reach, to);
    holders_.note(reach);
    return Failure::None;
}

// kernel: ip_set_swap
Failure Sets::swap(std::string_view from, std::string_view to) {
    const auto one = id_of(from);
    const auto other = id_of(to);
    if (!one || !other) {
        return one ? Failure::NoSecondSet : Failure::NoSet;
    }
    const Set& a = get(*one);
    const Set& b = get(*other);
    if (a.type().kind() != b.type().kind() || a.spec().family != b.spec().family) {
        return Failure::TypeMismatch;
    }
    if (*one == *other) {
        return Failure::None;
    }
    Slot& first = slots_[raw_of(*one)];
    Slot& second = slots_[raw_of(*other)];
    for (Slot* slot : {&first, &second}) {
        holders_.forget(slot->set->reach());
    }
    std::swap(first.set, second.set);
    std::swap(first.serial, second.serial);
    listed_.reset();
    for (Slot* slot : {&first, &second}) {
        Holders::name(slot->set->reach(), slot->name);
        holders_.note(slot->set->reach());
    }
    return Failure::None;
}

Failure Sets::add(SetId id, const Element& element, const Extensions& given, bool exist,
                  Instant now) {
    if (bytes_ >= bounds_.bytes) {
        return Failure::OutOfMemory;
    }
    Set& set = get(id);
    return changed(set, [&] { return set.add(element, given, exist, now); });
}

Failure Sets::remove(SetId id, const Element& element, bool exist, Instant now) {
    Set& set = get(id);
    return changed(set, [&] { return set.remove(element, exist, now); });
}

Failure Sets::add_member(SetId list, const Member& member, const Extensions& given, bool exist,
                         Instant now) {
    const auto id = id_of(member.name);
    if (!id) {
        return Failure::NoMember;
    }
    if (get(*id).type().storage == Storage::List) {
        return Failure::MemberIsList;
    }
    std::optional<Set::Position> position;
    if (!position_of(member, position)) {
        return Failure::NoReference;
    }
    Set& set = get(list);
    return changed(set, [&] { return set.add_member(*id, given, exist, position, now); });
}

Failure Sets::remove_member(SetId list, const Member& member, bool exist, Instant now) {
    const auto id = id_of(member.name);
    if (!id) {
        return Failure::NoMember;
    }
    std::optional<Set::Position> position;
    if (!position_of(member, position)) {
        return Failure::NoReference;
    }
    Set& set = get(list);
    return changed(set, [&] { return set.remove_member(*id, exist, position, now); });
}

bool Sets::test_member(SetId list, const Member& member, Instant now) const {
    const auto id = id_of(member.name);
    std::optional<Set::Position> position;
    return id && position_of(member, position) && get(list).has_member(*id, position, now);
}

bool Sets::position_of(const Member& member, std::optional<Set::Position>& position) const {
    if (member.reference.empty()) {
        return true;
    }
    if (const auto other = id_of(member.reference)) {
        position = Set::Position{member.before, *other};
    }
    return position.has_value();
}

void Sets::drop(SetId id) {
    Slot& slot = slots_[raw_of(id)];
    ids_.erase(slot.name);
    discard(std::move(slot.set));
    slot.name.clear();
    free_.push_back(id);
}

void Sets::discard(std::unique_ptr<Set> set) {
    bytes_ -= set->bytes();
    lists_changed(*set);
    holders_.forget(set->reach());
    set->flush(trash_);
}

}  // namespace nsr::sets
