#include "router/control/controls.hpp"
#include "router/control/metrics_loop.hpp"

namespace nsr::router {
namespace {

void read_each(const Metrics::Source& source, Samples& samples,
               std::uint64_t ShardLink::Counters::*count) {
    if (source.controls.others == nullptr) {
        return;
    }
    std::size_t shard = 0;
    for (const OtherShards::Report& report : source.controls.others->reports()) {
        samples.add({{"shard", std::to_string(shard)}}, report.link.*count);
        ++shard;
    }
}

}  // namespace

void read_shards(const Metrics::Source& source, Samples& samples) {
    samples.add(source.controls.config.shards);
}

void read_handed_over(const Metrics::Source& source, Samples& samples) {
    read_each(source, samples, &ShardLink::Counters::packets_out);
}

void read_lost_between(const Metrics::Source& source, Samples& samples) {
    read_each(source, samples, &ShardLink::Counters::lost);
}

void read_claims(const Metrics::Source& source, Samples& samples) {
    read_each(source, samples, &ShardLink::Counters::claims_out);
}

}  // namespace nsr::router
