// Sets: all address sets of a router, by name.
//
// Theory of operation
//   Sets live apart from rules and outlive them. Rules hold names; a name stands for the contents
//   that it has at the moment of the packet, so that swap() exchanges what two names mean between
//   two packets. A set that a rule or a list:set names can be neither destroyed nor renamed, so a
//   name that a rule holds always means a set. list:set holds SetIds, which stay with the name.
//   A set may be made aside (make(), a value that nobody shares) and put in its place in one step.
//   What all sets may hold together is bounded (Bounds); each is bounded by its maxelem.
//   Memory of what was emptied is freed in small pieces by sweep().
// kernel: ip_set_core.c
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/random.hpp"
#include "core/sets/catalogue.hpp"
#include "core/sets/packet_element.hpp"
#include "core/sets/set.hpp"

namespace nsr::sets {

// Of all sets together.
struct Bounds {
    std::size_t sets = 65534;  // kernel: IPSET_INVALID_ID - 1
    std::size_t bytes = std::size_t{1} << 30;
};

class Sets {
  public:
    Sets(std::uint64_t key_seed, std::uint64_t initval_seed, Bounds bounds = {})
        : bounds_(bounds),
          keys_(key_seed),
          initvals_(initval_seed),
          holders_(SipKey{key_seed, ~key_seed}) {}

    [[nodiscard]] std::optional<SetId> id_of(std::string_view name) const;
    // Null: there is none of this name.
    [[nodiscard]] Set* find(std::string_view name);
    [[nodiscard]] const Set* find(std::string_view name) const;
    [[nodiscard]] const std::string& name_of(SetId id) const { return slots_[raw_of(id)].name; }
    // In the order of their creation, lists behind what they may list. kernel: IPSET_DUMP_LAST
    [[nodiscard]] std::vector<SetId> all() const;
    [[nodiscard]] Set& get(SetId id) { return *slots_[raw_of(id)].set; }
    [[nodiscard]] const Set& get(SetId id) const { return *slots_[raw_of(id)].set; }
    [[nodiscard]] bool exists(SetId id) const {
        return raw_of(id) < slots_.size() && slots_[raw_of(id)].set != nullptr;
    }
    // Which contents an id stands for now: others have another number.
    [[nodiscard]] std::uint64_t serial(SetId id) const { return slots_[raw_of(id)].serial; }
    [[nodiscard]] Catalogue catalogue() const;
    [[nodiscard]] bool empty() const { return ids_.empty(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    // --- what an administrator does -------------------------------------------------------------

    // What listings print as the start of the hash. The key that is used is another one.
    [[nodiscard]] std::uint32_t draw_initval();
    // A set that no name stands for yet; place() gives it one.
    [[nodiscard]] std::unique_ptr<Set> make(const SetSpec& spec);
    Failure create(std::string_view name, const SetSpec& spec, bool exist);
    Failure destroy(std::string_view name, const References& by_rules);
    // All or none. kernel: ip_set_destroy
    Failure destroy_all(const References& by_rules);
    Failure flush(std::string_view name);
    Failure rename(std::string_view from, std::string_view to, const References& by_rules);
    Failure swap(std::string_view from, std::string_view to);
    // Gives `name` these contents; who holds the name goes on with them.
    Failure place(std::string_view name, std::unique_ptr<Set> set);
    // Empty, for sets that are made aside.
    [[nodiscard]] Sets beside();
    // Gives these of its names the contents that they have in `other`, which loses them. What is
    // left of memory is freed by sweep(). All or none: TooManySets or OutOfMemory.
    [[nodiscard]] Failure adopt(Sets&& other, const std::vector<std::string>& names, Instant now);
    // What adopt() would say.
    [[nodiscard]] Failure may_adopt(const Sets& other, const std::vector<std::string>& names) const;
    // How many lists have it among their members.
    [[nodiscard]] std::size_t lists_with(SetId id) const { return listed()[raw_of(id)]; }

    Failure add(SetId id, const Element& element, const Extensions& given, bool exist, Instant now);
    Failure remove(SetId id, const Element& element, bool exist, Instant now);
    // Members of a list:set, by name; `reference` is empty without before and after.
    struct Member {
        std::string_view name;
        bool before = false;
        std::string_view reference;
    };
    Failure add_member(SetId list, const Member& member, const Extensions& given, bool exist,
                       Instant now);
    Failure remove_member(SetId list, const Member& member, bool exist, Instant now);
    [[nodiscard]] bool test_member(SetId list, const Member& member, Instant now) const;

    // --- what packets do ------------------------------------------------------------------------

    // kernel: ip_set_test. False if there is no such set.
    bool match(std::string_view name, const Seen& seen, Directions directions,
               const Question& question, Instant now);
    // The sets that may hold packets with this address, where rules ask for it first; see Holders.
    void may_hold(const IpAddress& address, MayHold& found) const { holders_.find(address, found); }
    // Another number: what may_hold() said may be too little by now.
    [[nodiscard]] std::uint64_t gains() const { return holders_.gains(); }
    // kernel: ip_set_add, ip_set_del. False: nothing changed.
    bool learn(std::string_view name, const Seen& seen, Directions directions,
               const Extensions& given, bool exist, Instant now);
    bool forget(std::string_view name, const Seen& seen, Directions directions, Instant now);

    // --- time -----------------------------------------------------------------------------------

    // When sweep() has something to do, which may be over already. Nothing: never.
    [[nodiscard]] std::optional<Instant> next_sweep() const;
    // Removes expired elements and frees memory, a little. False: there is more.
    bool sweep(Instant now);

  private:
    struct Slot {
        std::string name;
        std::unique_ptr<Set> set;  // null: the slot is free
        std::uint64_t created = 0;
        std::uint64_t serial = 0;  // of the contents
        Instant swept{};           // when the last sweep of it ended
    };
    struct NameHash {
        using is_transparent = void;  // NOLINT(readability-identifier-naming): std's name
        std::size_t operator()(std::string_view name) const {
            return std::hash<std::string_view>{}(name);
        }
    };

    static std::size_t raw_of(SetId id) { return static_cast<std::size_t>(id); }
    // Changes the set and keeps count of its bytes.
    template <class Change>
    Failure changed(Set& set, Change change);
    void lists_changed(const Set& set);
    void give(Slot& slot, std::unique_ptr<Set> set);
    // Where a member of a list goes or stands; false: there is no such reference.
    bool position_of(const Member& member, std::optional<Set::Position>& position) const;
    [[nodiscard]] bool in_use(SetId id, const References& by_rules) const;
    void drop(SetId id);
    void discard(std::unique_ptr<Set> set);
    bool learn_in(Set& set, const Seen& seen, Directions directions, const Extensions& given,
                  bool exist, Instant now);
    bool match_in(Set& set, const Seen& seen, Directions directions, const Question& question,
                  Instant now);
    bool match_list(Set& list, const Seen& seen, Directions directions, const Question& question,
                    Instant now);
    // How many lists have each slot among their members.
    [[nodiscard]] const std::vector<std::size_t>& listed() const;
    bool free_some();
    [[nodiscard]] std::optional<Instant> earliest_sweep() const;

    Bounds bounds_;
    RandomSource keys_;
    RandomSource initvals_;  // apart from keys_: everybody may see them
    Holders holders_;
    std::vector<Slot> slots_;
    std::vector<SetId> free_;  // slots
    // What listed() said last; nothing: a list has changed since.
    mutable std::optional<std::vector<std::size_t>> listed_;
    using Ids = std::unordered_map<std::string, SetId, NameHash, std::equal_to<>>;
    Ids ids_;
    std::uint64_t created_ = 0;
    std::uint64_t serials_ = 0;
    std::size_t bytes_ = 0;
    Trash trash_;
    // Destroyed with all others, and still there.
    struct Going {
        std::vector<Slot> slots;
        Ids ids;
        [[nodiscard]] bool empty() const { return slots.empty() && ids.empty(); }
    };
    std::vector<Going> going_;
    std::size_t sweeping_ = 0;    // the slot at work
    std::optional<Instant> due_;  // the next sweep
};

template <class Change>
Failure Sets::changed(Set& set, Change change) {
    const std::size_t before = set.bytes();
    const bool was_timed = set.timed() != 0;
    const Failure failure = change();
    holders_.note(set.reach());
    lists_changed(set);
    bytes_ = bytes_ - before + set.bytes();
    if (!was_timed && set.timed() != 0) {
        due_ = Instant{};
    }
    return failure;
}

}  // namespace nsr::sets
