// ShardDuties: what a router that is one of several shards has to do with the others.
//
// Theory of operation
//   The first shard speaks for all. The others give it what they have counted (tally.hpp), and have
//   the links, addresses and routes that it has; settings and rules they are given as a router
//   always is. Each listens to the claims of each (core/conntrack/shard.hpp). A reference to the
//   router: it must outlive this.
#pragma once

#include <span>
#include <vector>

#include "core/base/instant.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/pipeline/tally.hpp"
#include "core/routing/interface.hpp"
#include "core/routing/route.hpp"
#include "core/routing/rule_list.hpp"

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
