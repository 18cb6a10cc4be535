// Lookahead: the tuples of a batch of packets and their hashes, computed once and before the first
// packet is processed, so that what their lookups will touch is in the cache by then. It carries no
// result of a lookup: each packet finds what is there when its turn comes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/conntrack/record/tuple.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/packet/packet.hpp"

namespace nsr::conntrack {

class Lookahead {
  public:
    struct Lookup {
        std::optional<Tuple> tuple;
        std::uint64_t hash = 0;  // of `tuple` in zone 0
    };

    // `packets` are dissected, or have no family; they must stay where they are until end().
    void begin(std::span<const Packet> packets, const Table& table);
    void end() { packets_ = {}; }
    // Of a packet of the batch, once: what comes again (looped back, reassembled) has changed.
    // Null: it is to be computed. Valid until the next begin().
    const Lookup* take(const Packet& packet);

  private:
    struct Ahead {
        Lookup lookup;
        bool waiting = false;  // to be taken
    };

    std::span<const Packet> packets_;
    std::vector<Ahead> ahead_;               // by position in packets_, and room that is kept
    std::vector<Table::Upcoming> upcoming_;  // of those that have a tuple; likewise kept
};

}  // namespace nsr::conntrack
