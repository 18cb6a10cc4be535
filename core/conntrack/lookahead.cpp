#include "core/conntrack/lookahead.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

namespace nsr::conntrack {

namespace {

// UDP changes nothing of a record but what every lookup reads anyway.
bool changes_state(const Tuple& tuple) {
    return tuple.protocol != proto::kUdp;
}

}  // namespace

void Lookahead::begin(std::span<const Packet> packets, const Table& table) {
    packets_ = packets;
    ahead_.resize(std::max(ahead_.size(), packets.size()));
    upcoming_.clear();
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const Layout& layout = packets[i].layout;
        Ahead& ahead = ahead_[i];
        ahead.waiting = false;
        if (layout.family == Family::None || layout.is_fragment) {
            continue;
        }
        Lookup& lookup = ahead.lookup;
        lookup.tuple = tuple_of(packets[i]);
        if (lookup.tuple) {
            ahead.waiting = true;
            lookup.hash = table.hash_of(*lookup.tuple, Zone{0});
            upcoming_.push_back({lookup.hash, changes_state(*lookup.tuple)});
        }
    }
    table.prefetch(upcoming_);
}

const Lookahead::Lookup* Lookahead::take(const Packet& packet) {
    const std::less<> before;
    const Packet* first = packets_.data();
    if (packets_.empty() || before(&packet, first) || !before(&packet, first + packets_.size())) {
        return nullptr;
    }
    Ahead& ahead = ahead_[static_cast<std::size_t>(&packet - first)];
    return std::exchange(ahead.waiting, false) ? &ahead.lookup : nullptr;
}

}  // namespace nsr::conntrack
