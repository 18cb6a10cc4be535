// What the router counts about packets: why they were dropped, and what RFC 4293 asks of a host and
// router for each family. Never reset.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/drop_reason.hpp"
#include "core/packet/hook.hpp"
#include "core/wire/address.hpp"

namespace nsr {

class DropCounters {
  public:
    // What is not IP at all counts with IPv4.
    void add(Family family, DropReason reason, std::uint64_t packets = 1) {
        counts_[index_of(family)][static_cast<std::size_t>(reason)] += packets;
    }
    [[nodiscard]] std::uint64_t of(Family family, DropReason reason) const {
        return counts_[index_of(family)][static_cast<std::size_t>(reason)];
    }
    [[nodiscard]] std::uint64_t of(DropReason reason) const {
        return of(Family::Ipv4, reason) + of(Family::Ipv6, reason);
    }

  private:
    std::array<std::array<std::uint64_t, kDropReasonCount>, 2> counts_{};
};

// Of the packets that came to one hook; the others went on behind it.
struct HookCounters {
    std::uint64_t packets = 0;
    std::uint64_t dropped = 0;
    std::uint64_t stolen = 0;  // kept: fragments of datagrams that are incomplete
};

// Of one family, by the kernel's names. kernel: struct ipstats_mib, struct icmpmsg_mib
struct IpCounters {
    std::uint64_t in_receives = 0;
    std::uint64_t in_octets = 0;
    std::uint64_t in_delivers = 0;  // for the router itself, and INPUT let them in
    // To be sent on; what is too big and what FORWARD drops counts.
    std::uint64_t forw_datagrams = 0;
    std::uint64_t out_requests = 0;   // of the router's own, before OUTPUT
    std::uint64_t out_no_routes = 0;  // of these
    std::uint64_t out_transmits = 0;  // to an interface, each piece and each super-packet as one
    std::uint64_t out_octets = 0;
    std::uint64_t frag_oks = 0;  // datagrams that left in pieces
    std::uint64_t frag_creates = 0;
    std::array<HookCounters, kHookCount> hooks{};  // by Hook
    // ICMP of the built-in host, by type
    std::array<std::uint64_t, 256> icmp_in{};
    std::array<std::uint64_t, 256> icmp_out{};
};

}  // namespace nsr
