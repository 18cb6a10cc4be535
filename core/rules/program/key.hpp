// Keys: what packets and rules are compared by before a rule is tried.
//
// A Shape says which fields of the fields below a rule asks for exactly, and how many bits of the
// addresses; all rules of one shape can be found by one look into a hash table.
// kernel: struct sw_flow_mask of Open vSwitch (tuple space search)
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/rules/program/compiled_rule.hpp"
#include "core/sets/reach.hpp"

namespace nsr::rules {

// Zero: none. Different names may have the same key, which costs a rule that is tried in vain.
std::uint32_t interface_key(std::string_view name);

// The keys of all interfaces. Precondition: each index has one name.
class InterfaceKeys {
  public:
    InterfaceKeys() = default;
    explicit InterfaceKeys(const InterfaceNames& names);
    [[nodiscard]] std::uint32_t of(IfIndex index) const {
        const std::size_t at = raw(index);
        return at < keys_.size() ? keys_[at] : index == IfIndex::Loopback ? loopback_ : 0;
    }

  private:
    std::vector<std::uint32_t> keys_;
    std::uint32_t loopback_ = 0;
};

struct KeyFields {
    std::array<std::uint32_t, 4> source{};
    std::array<std::uint32_t, 4> destination{};
    std::uint32_t in = 0;
    std::uint32_t out = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;
};

struct Shape {
    static constexpr std::uint8_t kIn = 1u << 0;
    static constexpr std::uint8_t kOut = 1u << 1;
    static constexpr std::uint8_t kProtocol = 1u << 2;
    static constexpr std::uint8_t kSourcePort = 1u << 3;
    static constexpr std::uint8_t kDestinationPort = 1u << 4;
    static constexpr std::uint8_t kPorts = kSourcePort | kDestinationPort;

    std::uint8_t source_bits = 0;  // of the address, from the left; 0: any
    std::uint8_t destination_bits = 0;
    std::uint8_t fields = 0;

    [[nodiscard]] bool empty() const {
        return source_bits == 0 && destination_bits == 0 && fields == 0;
    }
    [[nodiscard]] bool has(std::uint8_t field) const { return (fields & field) != 0; }
    // Whatever fits in `other` fits in this.
    [[nodiscard]] bool contains(const Shape& other) const {
        return source_bits <= other.source_bits && destination_bits <= other.destination_bits &&
               (fields & ~other.fields) == 0;
    }
    friend auto operator<=>(const Shape&, const Shape&) = default;
};

// Of those fields that `shape` looks at. The tables hold what an administrator wrote and packets
// only look, so that nobody can make it slow from outside.
std::uint32_t hash_of(const Shape& shape, const KeyFields& fields);

// A packet as rules are looked up for it; see key_of.
struct PacketKey {
    KeyFields fields;
    // A packet that rules drop for a header that is cut short: only trying them in turn tells
    // which.
    bool irregular = false;
    bool has_ports = false;  // else no rule that asks for ports fits
};

// The sets that may hold the packet's source, its destination.
using HeldBySets = std::array<sets::MayHold, 2>;

// Calls `take` with the numbers of those of `asked` (hashes of names of sets, ascending) that are
// in `held`, some more than once. Returns how many looks that took: no more than there are asked.
template <class Take>
std::size_t each_held(const std::vector<std::uint32_t>& asked, const sets::MayHold& held,
                      Take take) {
    const auto look_for = [&](std::uint32_t name) {
        const auto at = std::lower_bound(asked.begin(), asked.end(), name);
        if (at != asked.end() && *at == name) {
            take(static_cast<std::size_t>(at - asked.begin()));
        }
    };
    if (held.size() < asked.size()) {
        std::for_each(held.names.begin(), held.names.end(), look_for);
        std::for_each(held.any->begin(), held.any->end(), look_for);
        return held.size();
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (held.contains(asked[i])) {
            take(i);
        }
    }
    return asked.size();
}

// What must be there of the header that has the ports; 0: it has none.
std::uint16_t port_header_bytes(std::uint8_t protocol);

}  // namespace nsr::rules
