#include "core/conntrack/lookahead.hpp"

#include <utility>

namespace nsr::conntrack {

// First every line of the index, then, those being on their way for a while, the records.
void Lookahead::begin(std::span<const Packet> packets, const Table& table) {
    packets_ = packets;
    lookups_.assign(packets.size(), Lookup{});
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const Layout& layout = packets[i].layout;
        if (layout.family == Family::None || layout.is_fragment) {
            continue;
        }
        Lookup& lookup = lookups_[i];
        lookup.tuple = tuple_of(packets[i]);
        if (lookup.tuple) {
            lookup.hash = table.hash_of(*lookup.tuple, Zone{0});
            table.prefetch(lookup.hash);
        }
    }
    for (const Lookup& lookup : lookups_) {
        if (lookup.tuple) {
            table.prefetch_record(lookup.hash);
        }
    }
}

std::optional<Lookahead::Lookup> Lookahead::take(const Packet& packet) {
    const std::less<> before;
    const Packet* first = packets_.data();
    if (packets_.empty() || before(&packet, first) || !before(&packet, first + packets_.size())) {
        return std::nullopt;
    }
    Lookup& lookup = lookups_[static_cast<std::size_t>(&packet - first)];
    if (!lookup.tuple) {
        return std::nullopt;
    }
    return std::exchange(lookup, Lookup{});
}

}  // namespace nsr::conntrack
