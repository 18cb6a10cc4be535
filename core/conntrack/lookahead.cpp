#include "core/conntrack/lookahead.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace nsr::conntrack {

// First every line of the index, then, those being on their way for a while, the records.
void Lookahead::begin(std::span<const Packet> packets, const Table& table) {
    packets_ = packets;
    ahead_.resize(std::max(ahead_.size(), packets.size()));
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
            table.prefetch(lookup.hash);
        }
    }
    for (std::size_t i = 0; i < packets.size(); ++i) {
        if (ahead_[i].waiting) {
            table.prefetch_record(ahead_[i].lookup.hash);
        }
    }
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
