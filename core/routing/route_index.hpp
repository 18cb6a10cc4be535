// RouteIndex: the routes of one table, found by destination.
//
// Theory of operation
//   A PrefixIndex holds the first route of each prefix; those that share a prefix are a chain
//   behind it: IPv4's with a TOS first, then by metric, then as they came. A lookup takes the first
//   of the longest prefix that suits the packet. Nearly always that is the very first one looked
//   at; else the search goes on along the chain and then with shorter prefixes.
//   The main table's index also holds what is the router's own (addresses, broadcasts), before
//   everything else, so that a router without rules of its own asks one index.
// kernel: fib_table_lookup, fib6_table_lookup
#pragma once

#include <cstdint>
#include <vector>

#include "core/routing/flow.hpp"
#include "core/routing/multipath.hpp"
#include "core/routing/prefix_index.hpp"

namespace nsr::routing {

struct Target {
    Decision decision;
    bool direct = false;      // no gateway: the next hop is the destination
    bool own = false;         // of the local table
    bool throws = false;      // as if there were no route in this table
    std::uint8_t tos = 0;     // 0: any
    std::uint8_t length = 0;  // of the prefix
    std::uint32_t metric = 0;
    // Several next hops are there, from `first_hop` on; 0: the one in `decision`.
    std::uint16_t hop_count = 0;
    std::uint32_t first_hop = 0;
    std::uint32_t next = 0xffffffff;  // in the chain
};

class RouteIndex {
  public:
    enum class Own : std::uint8_t { Counts, Skipped };

    void clear();
    // `hops`: empty unless there are several.
    void insert(const Prefix& prefix, Target target, std::vector<Hop> hops);
    // Null: no route.
    [[nodiscard]] const Target* find(const Flow& flow, Own own) const {
        const auto first = prefixes_.longest(flow.destination);
        if (!first) {
            return nullptr;
        }
        const Target& target = targets_[*first];
        const bool plain = target.tos == 0 && flow.out == IfIndex::None && own == Own::Counts;
        return plain ? &target : search(flow, own, *first);
    }
    [[nodiscard]] Decision decide(const Target& target, const Flow& flow, SipKey key) const;
    // In one of its next hops.
    [[nodiscard]] bool leads_through(const Target& target, IfIndex interface) const;

  private:
    static constexpr std::uint32_t kEnd = 0xffffffff;

    [[nodiscard]] const Target* search(const Flow& flow, Own own, std::uint32_t first) const;
    [[nodiscard]] bool suits(const Target& target, const Flow& flow, Own own) const;
    [[nodiscard]] std::span<const Hop> hops_of(const Target& target) const {
        return {hops_.data() + target.first_hop, target.hop_count};
    }

    PrefixIndex prefixes_;  // values are indices of targets_
    std::vector<Target> targets_;
    std::vector<Hop> hops_;
};

}  // namespace nsr::routing
