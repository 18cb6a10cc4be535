// What /metrics says of the event loop and of shards; each is how the samples of a row are read.
#pragma once

#include "router/control/metrics.hpp"

namespace nsr::router {

void read_turns(const Metrics::Source& source, Samples& samples);
void read_turns_cpu(const Metrics::Source& source, Samples& samples);
void read_longest_turn(const Metrics::Source& source, Samples& samples);
void read_longest_turn_cpu(const Metrics::Source& source, Samples& samples);
void read_spins(const Metrics::Source& source, Samples& samples);
void read_ring_in_use(const Metrics::Source& source, Samples& samples);
void read_ring_frames(const Metrics::Source& source, Samples& samples);
void read_ring_calls(const Metrics::Source& source, Samples& samples);

// metrics_shards.cpp; of one shard: that it is one.
void read_shards(const Metrics::Source& source, Samples& samples);
void read_handed_over(const Metrics::Source& source, Samples& samples);
void read_lost_between(const Metrics::Source& source, Samples& samples);
void read_claims(const Metrics::Source& source, Samples& samples);

}  // namespace nsr::router
