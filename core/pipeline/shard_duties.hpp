// ShardDuties: what a router that is one of several shards has to do with the others.
//
// Theory of operation
//   The first shard speaks for all. The others have the links, addresses and routes that it has;
//   settings and rules they are given as a router always is. Each listens to the claims of each
//   (core/conntrack/shard.hpp).
//   Counters are sums: it makes no difference which shard has them. So before anybody reads those
//   of a router of several shards, all but the first give away what they have counted, beginning
//   anew, and the first one adds it to its own: whatever shows a counter shows the sum and knows of
//   no shards. What is not a sum of what happened, the size of a table, is said as it is now.
//   A reference to the router: it must outlive this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/instant.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/conntrack/stats.hpp"
#include "core/defrag/defrag.hpp"
#include "core/pipeline/counters.hpp"
#include "core/pipeline/drop_places.hpp"
#include "core/routing/interface.hpp"
#include "core/routing/route.hpp"
#include "core/routing/rule_list.hpp"

namespace nsr {

// What a shard has counted, on its way to the one that speaks for all.
struct Tally {
    std::array<IpCounters, 2> ip{};  // by index_of(family)
    DropCounters drops;
    std::vector<std::pair<pipeline::DropPlace, std::uint64_t>> places;
    std::uint64_t other_places = 0;
    std::vector<std::pair<IfIndex, routing::InterfaceCounters>> interfaces;
    std::array<defrag::Stats, 2> defrag{};
    conntrack::Stats tracking;
    // As they are now.
    std::size_t connections = 0;
    std::size_t table_bytes = 0;
};

}  // namespace nsr

namespace nsr::pipeline {
struct State;

// All that a router is told of the network around it.
struct Network {
    std::vector<routing::Interface> interfaces;
    std::vector<routing::Route> routes;
    routing::RuleList rules;
};

class ShardDuties {
  public:
    explicit ShardDuties(State& state) : state_(state) {}

    // See conntrack::Shard::claimed().
    void claimed(unsigned by, const conntrack::Tuple& tuple, bool holds, Instant now);

    // What this one has counted; it begins anew.
    [[nodiscard]] Tally take_tally();
    // What the others have, each of them. For the first shard.
    void add(std::span<const Tally> tallies);

    [[nodiscard]] Network network() const;

  private:
    State& state_;
};

}  // namespace nsr::pipeline
