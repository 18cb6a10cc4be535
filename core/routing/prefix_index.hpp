// PrefixIndex: the longest of many prefixes that contains an address.
//
// One open-addressed hash table holds every prefix under (length, network); a lookup tries the
// lengths that are in use, longest first. A table with nothing but connected networks and a default
// route is three probes. Prefixes come from the administrator, never from packets: the hash needs
// no key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/wire/address.hpp"

namespace nsr::routing {

class PrefixIndex {
  public:
    PrefixIndex() { clear(); }

    void clear();
    // Host bits of the prefix do not matter. False: the prefix is there already and keeps its
    // value.
    bool insert(const Prefix& prefix, std::uint32_t value);
    [[nodiscard]] std::optional<std::uint32_t> longest(const IpAddress& address) const;
    // Of those that are shorter than `length`.
    [[nodiscard]] std::optional<std::uint32_t> longest_below(const IpAddress& address,
                                                             unsigned length) const;
    // The value of just this prefix; null: it is not there. Valid until the next insertion.
    [[nodiscard]] std::uint32_t* find(const Prefix& prefix);
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    struct Slot {
        IpAddress network;  // family None: free
        std::uint8_t length = 0;
        std::uint32_t value = 0;
    };
    struct Length {
        std::uint8_t bits = 0;
        IpAddress mask;
    };
    // The slot that holds the prefix, or the free one where it belongs.
    [[nodiscard]] std::size_t slot_of(const IpAddress& network, std::uint8_t length) const;
    void use_length(Family family, std::uint8_t length);
    void grow();

    std::array<std::vector<Length>, 2> lengths_;  // per family, in use, longest first
    std::vector<Slot> slots_;                     // a power of two, at most half full
    std::size_t size_ = 0;
};

}  // namespace nsr::routing
