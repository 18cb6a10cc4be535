// What is asked of the routes, and what they answer. kernel: flowi4, flowi6; fib_result
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

// A packet as rules and routes see it. Nobody but rules with ports, protocol or TOS reads those.
struct Flow {
    IpAddress destination;
    IpAddress source;  // of no family, or unspecified: not chosen yet
    Mark mark = 0;
    IfIndex in = IfIndex::Loopback;  // Loopback: it begins here
    IfIndex out = IfIndex::None;     // only this way; None: any
    std::uint8_t tos = 0;
    std::uint8_t protocol = 0;
    Port source_port = 0;
    Port destination_port = 0;
    // Chooses among several next hops; nothing: the addresses do. See HashKeys
    std::optional<std::uint32_t> hash = std::nullopt;
};

enum class Destination : std::uint8_t {
    Unicast,
    Local,
    Broadcast,
    Multicast,
    Blackhole,
    Prohibit,
    Unreachable,
    None
};

struct Decision {
    Destination kind = Destination::None;
    IfIndex out = IfIndex::None;  // valid iff Unicast
    IpAddress next_hop = {};      // valid iff Unicast: the gateway, or the destination itself
    IpAddress source = {};        // the route's own wish for packets from here; of no family: none
    std::uint32_t mtu = 0;        // of the route; 0: the link's
    bool mtu_locked = false;
    std::uint32_t table = 0;  // that has the route; 0: a rule decided, or nobody
};

// Whether the router may send there itself.
inline bool leads_somewhere(const Decision& decision) {
    return decision.kind == Destination::Unicast || decision.kind == Destination::Local;
}

}  // namespace nsr::routing
