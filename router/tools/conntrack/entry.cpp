#include "router/tools/conntrack/entry.hpp"

#include <cstdio>

#include "core/base/siphash.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::router {

Entry entry_of(const conntrack::Conntrack& conntrack, ConnId id, Instant now) {
    const conntrack::Table& table = conntrack.table();
    return {id,
            table[id],
            table.extra(id),
            {table.tuple(id, Direction::Original), table.tuple(id, Direction::Reply)},
            conntrack.helper_of(id),
            now};
}

std::uint32_t shown_id(const Entry& entry) {
    const conntrack::Tuple& tuple = entry.tuple(Direction::Original);
    const auto pair = [](std::uint32_t high, std::uint32_t low) {
        return std::uint64_t{high} << 32 | low;
    };
    const std::array<std::uint64_t, 6> words = {
        pair(raw(entry.id), tuple.protocol),
        pair(tuple.source_port, tuple.destination_port),
        pair(tuple.source.words[0], tuple.source.words[1]),
        pair(tuple.source.words[2], tuple.source.words[3]),
        pair(tuple.destination.words[0], tuple.destination.words[1]),
        pair(tuple.destination.words[2], tuple.destination.words[3]),
    };
    return static_cast<std::uint32_t>(siphash13({}, words.data(), words.size()));
}

Zone Entry::zone_of(Direction direction) const {
    if (extra == nullptr) {
        return connection.zone;
    }
    const bool counts = direction == Direction::Original ? extra->zone_original : extra->zone_reply;
    return counts ? connection.zone : Zone{0};
}

Ports ports_of(std::uint8_t protocol) {
    return protocol == proto::kDccp ? Ports::Ports : conntrack::ports_of(protocol);
}

std::string_view protocol_name(std::uint8_t protocol) {
    return protocol == proto::kDccp ? "dccp" : conntrack::protocol_name(protocol);
}

std::string hex(std::uint32_t value) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%x", value);
    return text;
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

const char* family_name(const Entry& entry) {
    return entry.connection.family == Family::Ipv4 ? "ipv4" : "ipv6";
}

}  // namespace nsr::router
