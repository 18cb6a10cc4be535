#include "router/tools/conntrack/entry.hpp"

#include <cstdio>

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
