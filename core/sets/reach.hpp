// Reach: which addresses a set may hold, and Holders: which sets may hold an address, found without
// asking them all.
//
// Theory of operation
//   What a packet is to a set begins with one of its addresses. So an element of a hash can only be
//   met by packets from (or to) a network: its own, or a larger one of a length out of four, that
//   an address is found by with a look for each length in use. A small set is noted under each of
//   its networks. A set that has more than kMostNetworks, or one that many others have, or that is
//   of no address at all (ports, lists, bitmaps) is noted as one that may hold any. What an element
//   left behind when it went is noted until its set is emptied. So a set is named too often, and
//   never too seldom: that is what an index of rules needs.
//   Sets are known by a hash of their name; who shares it is named along with the other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string_view>
#include <vector>

#include "core/sets/table.hpp"
#include "core/wire/address.hpp"

namespace nsr::sets {

std::uint32_t hash_of_name(std::string_view name);

class Reach {
  public:
    static constexpr std::size_t kMostNetworks = 64;

    // `bound`: elements begin with an address, or a network.
    explicit Reach(bool bound) : bound_(bound), any_(!bound) {}

    // Of an element that is added.
    void add(const Prefix& network);
    void clear();
    [[nodiscard]] std::size_t bytes() const;

  private:
    friend class Holders;

    bool bound_;
    bool any_;
    std::vector<Prefix> networks_;  // of the lengths that Holders looks for
    // What its Holders know.
    std::uint32_t name_ = 0;
    std::size_t noted_ = 0;  // of networks_
    bool any_noted_ = false;
};

// The sets that may hold an address.
struct MayHold {
    std::vector<std::uint32_t> names;                   // their hashes, ascending
    const std::multiset<std::uint32_t>* any = nullptr;  // of those that may hold any address

    [[nodiscard]] std::size_t size() const { return names.size() + any->size(); }
    [[nodiscard]] bool contains(std::uint32_t name) const;
};

class Holders {
  public:
    explicit Holders(SipKey key) : table_(key, kKeyWords, 1) {}

    // A set that is not noted yet, or is in other Holders, gets this name.
    static void name(Reach& reach, std::string_view name);
    // What it has more by now.
    void note(Reach& reach);
    void forget(Reach& reach);
    // All of them; their memory goes to `chunks`.
    void clear(std::vector<Table::Chunk>& chunks);

    void find(const IpAddress& address, MayHold& found) const;
    // How often sets have come to be named for more addresses.
    [[nodiscard]] std::uint64_t gains() const { return gains_; }

  private:
    static constexpr std::size_t kMostOfOne = 64;  // sets noted under one network
    static constexpr unsigned kKeyWords = 5;
    struct Posting {
        std::uint32_t name = 0;
        std::uint32_t next = 0;
    };

    // False: it has too many.
    bool add(const Prefix& network, std::uint32_t name);
    void remove(const Prefix& network, std::uint32_t name);
    std::uint32_t take_posting();

    Table table_;                       // of networks; beside each its first posting
    std::deque<Posting> postings_{{}};  // from 1 on
    std::uint32_t free_ = 0;
    std::array<std::array<std::size_t, 4>, 2> in_use_{};  // networks of each family and length
    std::multiset<std::uint32_t> any_;
    std::uint64_t gains_ = 0;
};

}  // namespace nsr::sets
