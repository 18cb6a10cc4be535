#include "tests/bench/core/filled_table.hpp"

#include <memory>
#include <utility>

#include "core/wire/protocol.hpp"
#include "tests/bench/core/kept.hpp"
#include "tests/support/busy_router.hpp"

namespace nsr::bench {

using conntrack::Table;
using conntrack::Tuple;

Tuple tuple_of_flow(std::uint32_t number) {
    const auto port = static_cast<std::uint16_t>(1024 + number % 50000);
    const IpAddress client = IpAddress::v4(0x0a000002 + number / 50000);
    return {client, IpAddress::v4(198, 51, 100, 7), port, 443, proto::kUdp};
}

Tuple reply_of(const Tuple& tuple, bool translated) {
    Tuple reply = tuple;
    std::swap(reply.source, reply.destination);
    std::swap(reply.source_port, reply.destination_port);
    if (translated) {
        reply.destination.words[0] ^= 0x05000000;
    }
    return reply;
}

ConnId add_flow(Table& table, std::uint32_t number, bool translated) {
    const Tuple tuple = tuple_of_flow(number);
    const ConnId id = table.allocate().value();
    table.set_tuple(id, Direction::Original, tuple);
    table.set_tuple(id, Direction::Reply, reply_of(tuple, translated));
    table[id].deadline = kDeadline;
    table.insert(id, 0);
    return id;
}

FilledTable::FilledTable(const TableFill& fill)
    : table(kTableKey, buckets_for(fill.flows), memory_of(fill.pages)) {
    for (std::uint32_t number = 0; number < fill.flows; ++number) {
        add_flow(table, number, fill.translated);
    }
    packets.reserve(fill.flows);
    for (const std::uint32_t number : shuffled(fill.flows)) {
        const Tuple tuple = tuple_of_flow(number);
        packets.push_back((number & 1) != 0 ? reply_of(tuple, fill.translated) : tuple);
    }
}

FilledTable& filled(const TableFill& fill) {
    const unsigned variant = (fill.translated ? 1 : 0) + (fill.pages == Pages::Small ? 2 : 0);
    return kept<FilledTable>(fill.flows, variant,
                             [&] { return std::make_unique<FilledTable>(fill); });
}

}  // namespace nsr::bench
