// A small router for fuzzers: lan 10.0.0.1/24 fd00:1::1/64, wan 192.0.2.1/24 2001:db8::1/64 with
// the default routes, and what must hold of whatever leaves it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/pipeline/router.hpp"

namespace nsr::fuzz {

inline constexpr IfIndex kLan{1};
inline constexpr IfIndex kWan{2};

struct Shape {
    std::string_view rules_v4 = {};
    std::string_view rules_v6 = {};
    std::uint32_t conntrack_max = 8;
    std::uint32_t wan_mtu = 1500;
    bool wan_offload = true;  // takes super-packets and unfinished checksums
    std::unique_ptr<conntrack::Memory> memory = nullptr;
};

std::unique_ptr<Router> make_router(Shape shape);

// What a router would take, or what the kernel lets out though it would not take it: of IPv6,
// hop-by-hop options that nobody read in a datagram put together, and groups that answer because
// NAT in PREROUTING sends elsewhere what is for them. `reassembled_before`: how many IPv6 datagrams
// had been put together before this packet came. Dissects the packet.
bool may_leave(const Router& router, Packet& packet, std::uint64_t reassembled_before = 0);

// Every packet is one that may leave, and one that its device takes: no larger than the MTU,
// finished, unless the device can. With `sound`, its checksums are right.
void check_egress(Router& router, EgressQueue& out, bool sound);

}  // namespace nsr::fuzz
