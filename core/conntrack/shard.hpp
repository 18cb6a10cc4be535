// Shard: this table is one of several, and which packets are its own.
//
// Theory of operation
//   A router on several processors is several routers, each with a table of its own, that share
//   nothing. A flow must meet the same one always: the one that its home hash says
//   (record/home.hpp), the same for both directions, so that whichever shard a packet comes to
//   knows where it belongs and hands it over. NAT changes the tuple of the answers. Where it may
//   choose the port of a source it takes one with which the answers have the same home
//   (nat/unique_tuple.hpp). Where it may not (DNAT, a rule with a single port, a protocol without
//   ports) the shard of the connection claims the tuple of the answers: it tells their home, which
//   sends them on, until the connection ends. A claim is made before what is answered leaves, and
//   heard before packets that were read after that are dealt with. Fragments have no ports: those
//   of a pair of addresses meet in the home of the pair, which puts them together and then hands
//   over the datagram. An ICMP error belongs to the flow that it quotes. One of one, which is the
//   rule: all packets are its own, and nobody is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/base/siphash.hpp"
#include "core/conntrack/record/home.hpp"
#include "core/packet/packet.hpp"

namespace nsr::conntrack {

// The other shards, as one of them sees them.
class Neighbours {
  public:
    virtual ~Neighbours() = default;
    // The packet as it came, with meta.in and meta.counted. False: no room, and it is lost.
    virtual bool hand_over(unsigned shard, const Packet& packet) = 0;
    // `shard` is to send packets with this tuple here from now on, or (`holds` false) no more.
    virtual void claim(unsigned shard, const Tuple& tuple, bool holds) = 0;
};

struct ShardPlace {
    unsigned index = 0;
    unsigned count = 1;
    std::uint32_t key = 0;             // the same for all
    Neighbours* neighbours = nullptr;  // must outlive the shard; not null if there are any
};

class Shard {
  public:
    static constexpr unsigned kMost = 64;

    // `key` is of the claims. Precondition: index < count <= kMost.
    Shard(const ShardPlace& place, SipKey key);

    [[nodiscard]] bool alone() const { return place_.count == 1; }
    [[nodiscard]] const ShardPlace& place() const { return place_; }
    [[nodiscard]] bool is_home_of(const Tuple& tuple) const {
        return alone() || hash_.of(tuple) == place_.index;
    }
    // Of what all shards may have together, rounded up.
    [[nodiscard]] std::uint32_t share_of(std::uint32_t all) const {
        return alone() ? all : all / place_.count + (all % place_.count != 0 ? 1 : 0);
    }
    // Nothing: it can be dealt with here. A fragment may come to be of another shard when it is
    // part of a datagram.
    [[nodiscard]] std::optional<unsigned> owner_elsewhere(const Packet& packet) const;

    // A connection of this shard begins or ends, whose answers have this tuple.
    void answers_begin(const Tuple& reply);
    void answers_end(const Tuple& reply);
    // What shard `by` said to its neighbours.
    void claimed(unsigned by, const Tuple& tuple, bool holds);
    // Answers with this tuple are another shard's: a connection that is to have them is refused.
    [[nodiscard]] bool are_taken_elsewhere(const Tuple& reply) const;
    [[nodiscard]] std::size_t claims() const { return claims_.size(); }

  private:
    struct Hash {
        SipKey key;
        std::size_t operator()(const Tuple& tuple) const;
    };

    [[nodiscard]] std::optional<unsigned> claim_of(const Tuple& tuple, const Packet& packet) const;

    ShardPlace place_;
    HomeHash hash_;
    std::unordered_map<Tuple, unsigned, Hash> claims_;  // whose packets with a tuple are
};

}  // namespace nsr::conntrack
