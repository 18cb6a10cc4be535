// What a NAT rule allows: addresses and ports to choose from. kernel: struct nf_nat_range2
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/nat/behaviour.hpp"
#include "core/wire/address.hpp"

namespace nsr::nat {

enum class Manip : std::uint8_t { Source, Destination };

inline constexpr std::uint32_t kPorts = 65536;
// Of those that are chosen where nobody says which.
inline constexpr std::uint16_t kFirstPort = 1024;

struct Range {
    bool map_addresses = false;  // min_address..max_address are valid; else the address stays
    bool map_ports = false;      // min_port..max_port are valid (kernel: PROTO_SPECIFIED)
    bool random = false;         // PROTO_RANDOM
    bool random_fully = false;   // PROTO_RANDOM_FULLY
    bool persistent = false;
    bool offset_ports = false;          // PROTO_OFFSET: DNAT --to-destination :a-b/base
    bool masquerade = false;            // the address was the outgoing interface's: it dies with it
    IfIndex interface = IfIndex::None;  // valid iff masquerade
    IpAddress min_address;
    IpAddress max_address;
    Port min_port = 0;
    Port max_port = 0;
    Port base_port = 0;    // valid iff offset_ports
    bool behaves = false;  // `behaviour` is valid; else the NAT is Linux's
    Behaviour behaviour;
};

// One that leaves no choice of the address.
inline void set_address(Range& range, const IpAddress& address) {
    range.map_addresses = true;
    range.min_address = range.max_address = address;
}

// Likewise of the port.
inline void set_port(Range& range, Port port) {
    range.map_ports = true;
    range.min_port = range.max_port = port;
}

}  // namespace nsr::nat
