// PrefixIndex: the longest of many prefixes that contains an address.
//
// Theory of operation
//   An open-addressed hash table for each family holds every prefix under (length, network); a
//   lookup tries the lengths that are in use, longest first. A table with nothing but connected
//   networks and a default route is three probes. IPv4 networks are single words: packets of every
//   flow are looked up, and most are IPv4. Prefixes come from the administrator, never from
//   packets: the hash needs no key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/hashing.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

using Network4 = std::uint32_t;
using Network6 = std::array<std::uint32_t, 4>;

constexpr Network4 masked(Network4 address, Network4 mask) {
    return address & mask;
}
constexpr Network6 masked(const Network6& address, const Network6& mask) {
    return {address[0] & mask[0], address[1] & mask[1], address[2] & mask[2], address[3] & mask[3]};
}
constexpr std::size_t hash_of(Network4 network, std::uint8_t length) {
    return static_cast<std::size_t>((std::uint64_t{length} << 32 | network) * kGoldenMultiplier >>
                                    32);
}
std::size_t hash_of(const Network6& network, std::uint8_t length);

// Those of one family.
template <class Network>
class Prefixes {
  public:
    // False: the prefix is there already and keeps its value. Precondition: host bits are clear.
    bool insert(const Network& network, std::uint8_t length, const Network& mask,
                std::uint32_t value);
    // Of those that are shorter than `below`.
    [[nodiscard]] std::optional<std::uint32_t> longest(const Network& address,
                                                       unsigned below) const {
        for (const Length& length : lengths_) {
            if (length.bits >= below) {
                continue;
            }
            const Slot& slot = slots_[slot_of(masked(address, length.mask), length.bits)];
            if (slot.used) {
                return slot.value;
            }
        }
        return std::nullopt;
    }
    // Null: it is not there. Valid until the next insertion.
    [[nodiscard]] std::uint32_t* find(const Network& network, std::uint8_t length);
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    static constexpr std::size_t kFirstSlots = 16;

    struct Slot {
        Network network{};
        std::uint32_t value = 0;
        std::uint8_t length = 0;
        bool used = false;
    };
    struct Length {
        std::uint8_t bits = 0;
        Network mask{};
    };
    // The slot that holds the prefix, or the free one where it belongs.
    [[nodiscard]] std::size_t slot_of(const Network& network, std::uint8_t length) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = hash_of(network, length) & mask;
        while (slots_[at].used && !(slots_[at].network == network && slots_[at].length == length)) {
            at = (at + 1) & mask;
        }
        return at;
    }
    void use_length(std::uint8_t length, const Network& mask);
    void grow();

    std::vector<Length> lengths_;                               // in use, longest first
    std::vector<Slot> slots_ = std::vector<Slot>(kFirstSlots);  // a power of two, at most half full
    std::size_t size_ = 0;
};

class PrefixIndex {
  public:
    void clear() { *this = PrefixIndex(); }
    // Host bits of the prefix do not matter. False: the prefix is there already and keeps its
    // value.
    bool insert(const Prefix& prefix, std::uint32_t value);
    // Nothing also for an address of no family.
    [[nodiscard]] std::optional<std::uint32_t> longest(const IpAddress& address) const {
        return longest_below(address, kAny);
    }
    // Of those that are shorter than `length`.
    [[nodiscard]] std::optional<std::uint32_t> longest_below(const IpAddress& address,
                                                             unsigned length) const {
        if (address.is_v4()) {
            return v4_.longest(address.words[0], length);
        }
        return address.is_v6() ? v6_.longest(address.words, length) : std::nullopt;
    }
    // The value of just this prefix; null: it is not there. Valid until the next insertion.
    [[nodiscard]] std::uint32_t* find(const Prefix& prefix);
    [[nodiscard]] std::size_t size() const { return v4_.size() + v6_.size(); }

  private:
    static constexpr unsigned kAny = 255;

    Prefixes<Network4> v4_;
    Prefixes<Network6> v6_;
};

}  // namespace nsr::routing
