// Several next hops: which of them a flow takes. The hash goes by the addresses, the same in both
// directions, so that a flow keeps its way. kernel: fib_multipath_hash_policy 0, hash-threshold
#pragma once

#include <cstdint>
#include <span>

#include "core/base/siphash.hpp"
#include "core/routing/flow.hpp"

namespace nsr::routing {

struct Hop {
    IfIndex out = IfIndex::None;
    IpAddress next_hop;  // valid iff not direct
    bool direct = false;
    bool alive = false;  // its interface is up
    std::uint16_t weight = 1;
    std::uint32_t end = 0;  // valid iff alive: hashes below this one are its
    IpAddress source;       // what the router would send from; of no family: nothing
};

// Sets `end` of all that are alive. kernel: fib_rebalance
void share_out(std::span<Hop> hops);

// Precondition: one of them at least is alive. kernel: fib_select_multipath
[[nodiscard]] const Hop& choose(std::span<const Hop> hops, const Flow& flow, SipKey key);

}  // namespace nsr::routing
