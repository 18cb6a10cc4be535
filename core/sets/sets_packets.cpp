// What packets and time do to sets.
#include <algorithm>

#include "core/sets/sets.hpp"

namespace nsr::sets {

namespace {

constexpr std::size_t kSweepPlaces = 4096;
constexpr std::size_t kFreedChunks = 16;
constexpr std::size_t kFreedTexts = 512;
constexpr std::size_t kFreedSets = 16;

}  // namespace

bool Sets::match(std::string_view name, const Seen& seen, Directions directions,
                 const Question& question, Instant now) {
    Set* set = find(name);
    if (set == nullptr) {
        return false;
    }
    return set->type().storage == Storage::List ? match_list(*set, seen, directions, question, now)
                                                : match_in(*set, seen, directions, question, now);
}

bool Sets::match_in(Set& set, const Seen& seen, Directions directions, const Question& question,
                    Instant now) {
    const auto element = element_of(set.spec(), seen, directions);
    if (!element || !seen.pay(set.looks())) {
        return false;
    }
    const bool exceptions = question.return_nomatch && set.type().has_nomatch();
    return set.match(*element, question, now) == (exceptions ? Answer::Nomatch : Answer::Yes);
}

// The first member that holds the packet; it counts there and at the member.
// kernel: list_set_ktest
bool Sets::match_list(Set& list, const Seen& seen, Directions directions, const Question& question,
                      Instant now) {
    Question of_member = question;
    of_member.packets.reset();
    of_member.bytes.reset();
    of_member.update_counters = question.update_counters && question.update_subcounters;
    const auto& members = list.order();
    for (const Place place : members) {
        if (!seen.pay(1)) {
            return false;
        }
        const bool inside = match_in(get(list.member(place)), seen, directions, of_member, now);
        if (inside && list.judge(place, question, now) == Answer::Yes) {
            return true;
        }
    }
    return false;
}

bool Sets::learn(std::string_view name, const Seen& seen, Directions directions,
                 const Extensions& given, bool exist, Instant now) {
    Set* set = find(name);
    if (set == nullptr) {
        return false;
    }
    if (set->type().storage != Storage::List) {
        return learn_in(*set, seen, directions, given, exist, now);
    }
    const auto& members = set->order();  // the first that takes it. kernel: list_set_kadd
    return std::any_of(members.begin(), members.end(), [&](Place place) {
        return seen.pay(1) &&
               learn_in(get(set->member(place)), seen, directions, given, exist, now);
    });
}

// What the set does not keep is not given to it.
bool Sets::learn_in(Set& set, const Seen& seen, Directions directions, const Extensions& given,
                    bool exist, Instant now) {
    const auto element = element_of(set.spec(), seen, directions);
    if (!element || bytes_ >= bounds_.bytes) {
        return false;
    }
    Extensions kept;
    if (set.spec().timeout) {
        kept.timeout = given.timeout;
    }
    if (set.spec().counters) {
        kept.packets = given.packets;
        kept.bytes = given.bytes;
    }
    return changed(set, [&] { return set.learn(*element, kept, exist, now); }) == Failure::None;
}

bool Sets::forget(std::string_view name, const Seen& seen, Directions directions, Instant now) {
    Set* set = find(name);
    if (set == nullptr) {
        return false;
    }
    const auto forget_in = [&](Set& from) {
        const auto element = element_of(from.spec(), seen, directions);
        return element &&
               changed(from, [&] { return from.forget(*element, now); }) == Failure::None;
    };
    if (set->type().storage != Storage::List) {
        return forget_in(*set);
    }
    const auto& members = set->order();
    return std::any_of(members.begin(), members.end(), [&](Place place) {
        return seen.pay(1) && forget_in(get(set->member(place)));
    });
}

// --- time ---------------------------------------------------------------------------------------

std::optional<Instant> Sets::next_sweep() const {
    const bool empty = trash_.chunks.empty() && trash_.texts.empty() && going_.empty();
    return empty ? due_ : Instant{};
}

// A part of one set that is due, and a handful of memory.
bool Sets::sweep(Instant now) {
    const bool freed = free_some();
    if (!due_ || now < *due_) {
        return freed;
    }
    for (std::size_t i = 0; i < slots_.size(); ++i, ++sweeping_) {
        sweeping_ = sweeping_ < slots_.size() ? sweeping_ : 0;
        Slot& slot = slots_[sweeping_];
        if (slot.set == nullptr || slot.set->timed() == 0 ||
            slot.swept + slot.set->sweep_period() > now) {
            continue;
        }
        const std::size_t before = slot.set->bytes();
        const bool ended = slot.set->sweep(kSweepPlaces, now);
        lists_changed(*slot.set);
        if (slot.set->size() == 0) {
            holders_.forget(slot.set->reach());
            slot.set->reach().clear();
            holders_.note(slot.set->reach());
        }
        bytes_ = bytes_ - before + slot.set->bytes();
        slot.swept = ended ? now : slot.swept;
        return false;
    }
    due_ = earliest_sweep();
    return freed;
}

std::optional<Instant> Sets::earliest_sweep() const {
    std::optional<Instant> next;
    for (const Slot& slot : slots_) {
        if (slot.set != nullptr && slot.set->timed() != 0) {
            const Instant due = slot.swept + slot.set->sweep_period();
            next = std::min(next.value_or(due), due);
        }
    }
    return next;
}

bool Sets::free_some() {
    const std::size_t chunks = std::min(trash_.chunks.size(), kFreedChunks);
    trash_.chunks.resize(trash_.chunks.size() - chunks);
    if (!trash_.texts.empty()) {
        auto& texts = trash_.texts.back();
        texts.resize(texts.size() - std::min(texts.size(), kFreedTexts));
        if (texts.empty()) {
            trash_.texts.pop_back();
        }
    }
    for (std::size_t i = 0; i < kFreedSets && !going_.empty(); ++i) {
        Going& going = going_.back();
        if (!going.slots.empty()) {
            if (const auto& set = going.slots.back().set) {
                set->flush(trash_);
            }
            going.slots.pop_back();
        }
        if (!going.ids.empty()) {
            going.ids.erase(going.ids.begin());
        }
        if (going.empty()) {
            going_.pop_back();
        }
    }
    return trash_.chunks.empty() && trash_.texts.empty() && going_.empty();
}

}  // namespace nsr::sets
