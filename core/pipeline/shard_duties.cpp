#include "core/pipeline/shard_duties.hpp"

#include <cstddef>
#include <utility>

#include "core/base/add_counters.hpp"
#include "core/pipeline/state.hpp"

namespace nsr::pipeline {

// Nor does a claim take anything from a connection that is here.
void ShardDuties::claimed(unsigned by, const conntrack::Tuple& tuple, bool holds, Instant now) {
    if (!holds || !state_.conntrack.table().find(tuple, Zone{0}, to_jiffies(now))) {
        state_.conntrack.shard().claimed(by, tuple, holds);
    }
}

Tally ShardDuties::take_tally() {
    State& state = state_;
    Tally tally;
    tally.ip = std::exchange(state.counters, {});
    tally.drops = std::exchange(state.drops, {});
    tally.places.assign(state.places.rows().begin(), state.places.rows().end());
    tally.other_places = state.places.others();
    state.places = {};
    for (const routing::Interface& interface : state.interfaces.all()) {
        tally.interfaces.emplace_back(
            interface.index, std::exchange(state.interfaces.get(interface.index).counters, {}));
    }
    tally.defrag = {std::exchange(state.defrag.stats(Family::Ipv4), {}),
                    std::exchange(state.defrag.stats(Family::Ipv6), {})};
    tally.tracking = std::exchange(state.conntrack.stats(), {});
    tally.connections = state.conntrack.table().size();
    tally.table_bytes = state.conntrack.table().bytes_in_use();
    return tally;
}

void ShardDuties::add(std::span<const Tally> tallies) {
    State& state = state_;
    state.elsewhere = {};
    for (const Tally& tally : tallies) {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            const std::size_t index = index_of(family);
            add_counters(state.counters[index], tally.ip[index]);
            add_counters(state.defrag.stats(family), tally.defrag[index]);
        }
        add_counters(state.drops, tally.drops);
        for (const auto& [place, packets] : tally.places) {
            state.places.add(place, packets);
        }
        state.places.add_others(tally.other_places);
        // An interface that went meanwhile takes its counters along.
        for (const auto& [interface, counters] : tally.interfaces) {
            if (state.interfaces.has(interface)) {
                add_counters(state.interfaces.get(interface).counters, counters);
            }
        }
        add_counters(state.conntrack.stats(), tally.tracking);
        state.elsewhere.connections += tally.connections;
        state.elsewhere.table_bytes += tally.table_bytes;
    }
}

Network ShardDuties::network() const {
    return {state_.interfaces.all(), state_.routes.configured(), state_.routes.rules()};
}

}  // namespace nsr::pipeline
