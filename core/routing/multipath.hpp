// Several next hops: which of them a flow takes. The hash is the same in both directions, so that a
// flow keeps its way. kernel: fib_multipath_hash, rt6_multipath_hash; hash-threshold
#pragma once

#include <cstdint>
#include <span>

#include "core/base/siphash.hpp"
#include "core/routing/flow.hpp"

namespace nsr::routing {

// net.ipv4.fib_multipath_hash_policy, net.ipv6.fib_multipath_hash_policy. Addresses: and, of IPv6,
// the flow label and the protocol.
enum class HashPolicy : std::uint8_t { Addresses, Ports };

// What of a packet is hashed; what is 0 does not count. kernel: flow_keys
struct HashKeys {
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;
    Port source_port = 0;
    Port destination_port = 0;
    std::uint32_t flow_label = 0;
};

// Of a flow of which no packet is known.
[[nodiscard]] HashKeys keys_of(const Flow& flow, HashPolicy policy);
// 31 bits. kernel: flow_hash_from_keys, __flow_hash_consistentify
[[nodiscard]] std::uint32_t hash_of(const HashKeys& keys, SipKey key);

struct Hop {
    IfIndex out = IfIndex::None;
    IpAddress next_hop;  // valid iff not direct
    bool direct = false;
    bool alive = false;  // flows may take it
    std::uint16_t weight = 1;
    std::uint32_t end = 0;  // valid iff alive: hashes below this one are its
    IpAddress source;       // what the router would send from; of no family: nothing
};

// Sets `end` of all that are alive. kernel: fib_rebalance
void share_out(std::span<Hop> hops);

// Precondition: one of them at least is alive. kernel: fib_select_multipath
[[nodiscard]] const Hop& choose(std::span<const Hop> hops, const Flow& flow, SipKey key);

}  // namespace nsr::routing
