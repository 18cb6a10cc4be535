// The types of address sets, as a table: how they store their elements, and what an element is made
// of.
// kernel: struct ip_set_type
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace nsr::sets {

enum class Storage : std::uint8_t { Hash, Bitmap, List };

// A part of an element; each reads the source or the destination of a packet.
enum class Part : std::uint8_t {
    None,
    Ip,     // one address, or a network of the set's netmask
    Net,    // a network with a prefix length of its own
    Port,   // a port; in hashes with its protocol, ICMP's type and code count as a port
    Mark,   // the packet's mark
    Mac,    // an address of a link layer, which packets of TUN devices do not have
    Iface,  // the name of an interface
    Set,    // another set
};

struct SetType {
    std::string_view name;
    Storage storage;
    std::array<Part, 3> parts;
    std::uint8_t revision;  // of the kernel that is followed; listings print it
    bool any_net = false;   // a network may have the prefix length 0

    // How many of src and dst a rule has to give at least. kernel: ip_set_type.dimension
    [[nodiscard]] unsigned dimension() const;
    [[nodiscard]] bool has(Part part) const;
    // The port has a protocol.
    [[nodiscard]] bool has_protocol() const { return storage == Storage::Hash && has(Part::Port); }
    // Elements may be exceptions. kernel: IPSET_TYPE_NOMATCH
    [[nodiscard]] bool has_nomatch() const { return has(Part::Net); }
    // The first address is a network; the second one is.
    [[nodiscard]] bool first_is_net() const { return parts[0] == Part::Net; }
    [[nodiscard]] bool second_is_net() const;
    [[nodiscard]] bool has_second_address() const;
    [[nodiscard]] bool both_families() const { return storage == Storage::Hash && !only_mac(); }
    [[nodiscard]] bool only_mac() const { return parts[0] == Part::Mac; }
    // Sets of equal kinds may be swapped. kernel: ip_set_type.features
    [[nodiscard]] std::uint8_t kind() const;
};

std::span<const SetType> set_types();
// By its name, or by the one it had before ipset 5 ("iphash"). Null: none.
const SetType* find_type(std::string_view name);

}  // namespace nsr::sets
