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
    const std::size_t added = set->bytes();
    const bool timed = set->timed() != 0;
    if (const auto id = id_of(name)) {
        discard(std::exchange(slots_[raw_of(*id)].set, std::move(set)));
    } else {
        const auto free = std::find_if(slots_.begin(), slots_.end(),
                                       [](const Slot& slot) { return slot.set == nullptr; });
        if (free == slots_.end() && slots_.size() >= bounds_.sets) {
            return Failure::TooManySets;
        }
        Slot& slot = free == slots_.end() ? slots_.emplace_back() : *free;
        slot.name = name;
        slot.set = std::move(set);
        slot.created = created_++;
        ids_.emplace(name, static_cast<SetId>(&slot - slots_.data()));
    }
    bytes_ += added;
    if (timed) {
        due_ = Instant{};
    }
    return Failure::None;
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

std::size_t Sets::lists_with(SetId id) const {
    return static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [&](const Slot& slot) {
            if (slot.set == nullptr || slot.set->type().storage != Storage::List) {
                return false;
            }
            const auto& order = slot.set->order();
            return std::any_of(order.begin(), order.end(),
                               [&](Place place) { return slot.set->member(place) == id; });
        }));
}

std::vector<bool> Sets::listed() const {
    std::vector<bool> found(slots_.size());
    for (const Slot& slot : slots_) {
        for (const Place place : slot.set == nullptr ? std::vector<Place>{} : slot.set->order()) {
            found[raw_of(slot.set->member(place))] = true;
        }
    }
    return found;
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

Failure Sets::destroy_all(const References& by_rules) {
    const std::vector<SetId> ids = all();
    const std::vector<bool> members = listed();
    for (const SetId id : ids) {
        if (members[raw_of(id)] || by_rules.contains(name_of(id))) {
            return Failure::SetInUse;
        }
    }
    for (const SetId id : ids) {
        drop(id);
    }
    return Failure::None;
}

Failure Sets::flush(std::string_view name) {
    Set* set = find(name);
    if (set == nullptr) {
        return Failure::NoSet;
    }
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
    std::swap(slots_[raw_of(*one)].set, slots_[raw_of(*other)].set);
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
    if (!member.reference.empty()) {
        const auto other = id_of(member.reference);
        if (!other) {
            return Failure::NoReference;
        }
        position = Set::Position{member.before, *other};
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
    if (!member.reference.empty()) {
        const auto other = id_of(member.reference);
        if (!other) {
            return Failure::NoReference;
        }
        position = Set::Position{member.before, *other};
    }
    Set& set = get(list);
    return changed(set, [&] { return set.remove_member(*id, exist, position, now); });
}

bool Sets::test_member(SetId list, const Member& member, Instant now) const {
    const auto id = id_of(member.name);
    if (!id) {
        return false;
    }
    std::optional<Set::Position> position;
    if (!member.reference.empty()) {
        position = Set::Position{member.before, id_of(member.reference).value_or(SetId::None)};
    }
    return get(list).has_member(*id, position, now);
}

void Sets::drop(SetId id) {
    Slot& slot = slots_[raw_of(id)];
    ids_.erase(slot.name);
    discard(std::exchange(slot.set, nullptr));
    slot.name.clear();
}

void Sets::discard(std::unique_ptr<Set> set) {
    bytes_ -= set->bytes();
    set->flush(trash_);
}

}  // namespace nsr::sets
