// Set: the elements of one address set, and what is asked about them.
//
// Theory of operation
//   An administrator adds, removes and tests elements one at a time; a packet is turned into an
//   element (packet_element.hpp) and asked for with match(), or added with learn(). A search costs
//   one look into the table; among networks one for each pair of prefix lengths in use, the most
//   specific first: the first network that holds the address decides, which may be an exception
//   (nomatch). Nothing is allocated by it. An element whose time is over is not found any more; it
//   is removed when it is met, and by sweep(), a few at a time.
//   A set holds `maxelem` elements at most. When it is full, expired ones make room; with forceadd
//   another one does; else Failure::Full.
//   A list:set holds names of sets in their order; what it means for packets is up to Sets.
// kernel: struct ip_set, ip_set_hash_gen.h, ip_set_bitmap_gen.h, ip_set_list_set.c
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/base/instant.hpp"
#include "core/sets/extras.hpp"
#include "core/sets/key.hpp"
#include "core/sets/prefixes.hpp"
#include "core/sets/reach.hpp"
#include "core/sets/spec.hpp"
#include "core/sets/table.hpp"

namespace nsr::sets {

// What is left of emptied sets, to be freed a little at a time.
struct Trash {
    std::vector<Table::Chunk> chunks;
    std::deque<std::deque<std::string>> texts;
};

// kernel: IPSET_COUNTER_EQ ... GT
enum class Compare : std::uint8_t { Equal, NotEqual, Less, Greater };
struct CounterTest {
    Compare compare = Compare::Equal;
    std::uint64_t value = 0;
    [[nodiscard]] bool holds(std::uint64_t count) const;
};

// How a rule asks. kernel: struct ip_set_adt_opt
struct Question {
    std::uint32_t packet_bytes = 0;
    bool update_counters = true;
    bool update_subcounters = true;  // of the sets in a list:set
    bool return_nomatch = false;     // networks marked nomatch are what is asked for
    std::optional<CounterTest> packets;
    std::optional<CounterTest> bytes;
    SkbInfo* found = nullptr;  // where to say what the element maps the packet to
};
// kernel: 1, 0 and -ENOTEMPTY of ip_set_test
enum class Answer : std::uint8_t { No, Yes, Nomatch };

class Set {
  public:
    Set(const SetSpec& spec, SipKey hash_key);

    [[nodiscard]] const SetSpec& spec() const { return spec_; }
    [[nodiscard]] const SetType& type() const { return *spec_.type; }

    // `exist`: adding what is there replaces what is known of it, removing what is not there is
    // fine. kernel: IPSET_FLAG_EXIST
    Failure add(const Element& element, const Extensions& given, bool exist, Instant now);
    Failure remove(const Element& element, bool exist, Instant now);
    // An address is looked for in all networks, a network only as it stands.
    [[nodiscard]] bool test(const Element& element, bool nomatch, Instant now) const;
    // Precondition: nobody has noted its reach.
    void flush(Trash& trash);

    // Of the element that a packet was made into.
    Answer match(const Element& element, const Question& question, Instant now);
    // How many looks into its table match() takes at most.
    [[nodiscard]] std::size_t looks() const;
    // Networks get the most specific prefix length in use.
    Failure learn(Element element, const Extensions& given, bool exist, Instant now);
    Failure forget(Element element, Instant now);
    // One that is known by its place, among the members of a list:set.
    Answer judge(Place place, const Question& question, Instant now);

    // Members of a list:set in their order. Precondition of the second: `at` is below the count.
    [[nodiscard]] const std::vector<Place>& order() const { return order_; }
    [[nodiscard]] SetId member(Place place) const;
    // Where the next member that is added goes; the end without it.
    struct Position {
        bool before = false;
        SetId other = SetId::None;
    };
    Failure add_member(SetId member, const Extensions& given, bool exist,
                       const std::optional<Position>& position, Instant now);
    Failure remove_member(SetId member, bool exist, const std::optional<Position>& position,
                          Instant now);
    [[nodiscard]] bool has_member(SetId member, const std::optional<Position>& position,
                                  Instant now) const;

    struct Entry {
        Element element;
        Extensions known;
    };
    // A walk over all elements, in ascending order in a bitmap, in their order in a list:set:
    // `cursor` begins with 0 and counts steps. Nothing: the end. Steps where nothing (or nothing
    // that still counts) stands give an entry that is empty.
    enum class Step : std::uint8_t { Entry, Gap, End };
    Step walk(std::uint64_t& cursor, Entry& entry, Instant now) const;

    // Expired ones among them, until they are met.
    [[nodiscard]] std::size_t size() const { return table_.size(); }
    [[nodiscard]] std::size_t timed() const { return timed_; }
    [[nodiscard]] std::size_t bytes() const {
        return sizeof *this + table_.bytes() + extras_.comment_bytes() + reach_.bytes();
    }
    // Of the addresses that its elements begin with; whoever has the set notes it in Holders.
    [[nodiscard]] Reach& reach() { return reach_; }
    // What listings print as the number of buckets.
    [[nodiscard]] std::uint64_t hashsize() const;

    // How long expired elements may lie about. kernel: IPSET_GC_PERIOD
    [[nodiscard]] Duration sweep_period() const;
    // Looks at `places` places at most; true: that was the last of them.
    bool sweep(std::size_t places, Instant now);

  private:
    [[nodiscard]] Failure check(const Element& element) const;
    [[nodiscard]] Failure check(const Extensions& given) const;
    [[nodiscard]] Element normal(Element element) const;
    [[nodiscard]] Key key_of(const Element& element) const;
    [[nodiscard]] Element element_at(Place place) const;
    [[nodiscard]] bool in_range(const Element& element) const;
    // Not found if it is expired.
    [[nodiscard]] Place find(const Element& element, Instant now) const;
    [[nodiscard]] Place find_iface(Element element, Instant now) const;
    // The networks in use that hold the element, the most specific first, until `take` has enough.
    template <class Take>
    void each_network(const Element& element, Instant now, Take take) const;
    [[nodiscard]] bool is_host(const Element& element) const;
    bool make_room(Instant now);
    Place insert(const Element& element, const Key& key);
    [[nodiscard]] Prefix begin_of(const Element& element) const;
    void write(Place place, const Extensions& given, Instant now);
    // A list forgets its place with forget_erased_members(), before anything is added.
    void erase(Place place);
    void forget_erased_members();
    void most_specific(Element& element) const;

    SetSpec spec_;
    KeyShape shape_;
    Extras extras_;
    Table table_;
    Prefixes prefixes_;
    Reach reach_;
    std::array<std::uint32_t, 16> wildcards_{};  // how many names of each length begin others
    std::vector<Place> order_;
    std::size_t timed_ = 0;
    std::size_t most_ = 0;  // elements at any time so far
    Place hand_ = 0;        // of sweep() and make_room()
};

}  // namespace nsr::sets
