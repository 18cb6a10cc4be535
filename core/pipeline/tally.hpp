// Tally: what one of several shards has counted, on its way to the one that speaks for all.
//
// Theory of operation
//   Counters are sums: it makes no difference which shard has them. So before anybody reads those
//   of a router of several shards, all but the first give away what they have counted, beginning
//   anew, and the first one adds it to its own: whatever shows a counter shows the sum and knows of
//   no shards. What is not a sum of what happened, the size of a table, is said as it is now.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/conntrack/stats.hpp"
#include "core/defrag/defrag.hpp"
#include "core/pipeline/counters.hpp"
#include "core/pipeline/drop_places.hpp"
#include "core/routing/interface.hpp"

namespace nsr {

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
