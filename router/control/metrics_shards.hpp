// What /metrics says of shards; each is how the samples of a row are read. Of one shard: that it is
// one.
#pragma once

#include "router/control/metrics.hpp"

namespace nsr::router {

void read_shards(const Metrics::Source& source, Samples& samples);
void read_handed_over(const Metrics::Source& source, Samples& samples);
void read_lost_between(const Metrics::Source& source, Samples& samples);
void read_claims(const Metrics::Source& source, Samples& samples);

}  // namespace nsr::router
