// The home of a flow: which of several shards its packets belong to, whichever direction they go
// in. See core/conntrack/shard.hpp.
//
// Theory of operation
//   A hash of what the two directions of an untranslated flow have in common: the sum of their
//   addresses and of their ports (of an ICMP query: its identifier; of other protocols: nothing).
//   It is as plain as it is because the kernel computes it, too, where it may be taught to
//   (netlink/steering.hpp). Who knows the key, or tries long enough, can send all his flows to one
//   shard; that shard is then as fast as a router of one core, and the others are as fast as ever.
#pragma once

#include <cstdint>

#include "core/conntrack/record/tuple.hpp"

namespace nsr::conntrack {

struct HomeHash {
    std::uint32_t key = 0;
    unsigned shards = 1;

    static constexpr std::uint32_t kPortFactor = 0x9e3779b1;  // the golden ratio
    static constexpr std::uint32_t kFactor1 = 0x85ebca6b;     // of MurmurHash3's finalizer
    static constexpr std::uint32_t kFactor2 = 0xc2b2ae35;
    static constexpr unsigned kShift1 = 15;
    static constexpr unsigned kShift2 = 16;

    // Of the addresses and ports of a flow, each a sum that wraps.
    [[nodiscard]] constexpr unsigned of_sums(std::uint32_t addresses, std::uint32_t ports) const {
        std::uint32_t mixed = ((addresses + ports * kPortFactor) ^ key) * kFactor1;
        mixed = (mixed ^ mixed >> kShift1) * kFactor2;
        mixed ^= mixed >> kShift2;
        return static_cast<unsigned>((static_cast<std::uint64_t>(mixed) * shards) >> 32);
    }

    [[nodiscard]] unsigned of(const Tuple& tuple) const {
        return of_sums(sum_of(tuple.source) + sum_of(tuple.destination), ports_of(tuple));
    }

    // Where the fragments of a pair of addresses meet.
    [[nodiscard]] unsigned of_pair(const IpAddress& one, const IpAddress& other) const {
        return of_sums(sum_of(one) + sum_of(other), 0);
    }

  private:
    static constexpr std::uint32_t sum_of(const IpAddress& address) {
        return address.words[0] + address.words[1] + address.words[2] + address.words[3];
    }
    static constexpr std::uint32_t ports_of(const Tuple& tuple) {
        if (proto::is_icmp(tuple.protocol)) {
            return tuple.source_port;
        }
        return proto::has_ports(tuple.protocol)
                   ? std::uint32_t{tuple.source_port} + tuple.destination_port
                   : 0;
    }
};

}  // namespace nsr::conntrack
