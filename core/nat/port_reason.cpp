#include "core/nat/port_reason.hpp"

#include <array>

#include "core/base/check.hpp"
#include "core/nat/deterministic.hpp"

namespace nsr::nat {

using conntrack::Tuple;

namespace {

constexpr std::array<std::string_view, 9> kNames = {"kept",         "range", "random",
                                                    "sequential",   "block", "neighbour",
                                                    "like-another", "taken", "unknown"};
static_assert(static_cast<std::size_t>(PortReason::Unknown) + 1 == kNames.size());

bool outside_of_rule(std::uint16_t port, const Range& range) {
    return range.map_ports && (port < range.min_port || port > range.max_port);
}

// Is the port of the source one of the block that its outside port is of?
bool in_block(const Mapping& mapping) {
    const Range& range = mapping.range;
    const bool computed = range.behaviour.ports == PortChoice::Deterministic;
    const std::uint32_t size =
        computed ? divide(range).block_ports : std::uint32_t{range.behaviour.block_ports};
    NSR_CHECK(size != 0);  // such a rule maps nobody
    const std::uint32_t begin = ports_of(range).min;
    const std::uint32_t own = mapping.inside.source.port;
    return own >= begin && (own - begin) / size == (mapping.outside.port - begin) / size;
}

// What the choice of the rule alone says; nothing: it would have kept a free port.
std::optional<PortReason> reason_of_choice(const Mapping& mapping) {
    const Behaviour& behaviour = mapping.range.behaviour;
    switch (behaviour.ports) {
        case PortChoice::Random:
            return PortReason::Random;
        case PortChoice::Sequential:
            return PortReason::Sequential;
        case PortChoice::Blocks:
        case PortChoice::Deterministic:
            return in_block(mapping) ? std::nullopt : std::optional(PortReason::Block);
        default:
            return outside_of_rule(mapping.inside.source.port, mapping.range)
                       ? std::optional(PortReason::Range)
                       : std::nullopt;
    }
}

// Does another connection of the source look like this?
bool looks_like_another(const conntrack::Conntrack& conntrack, const SourceIndex& sources,
                        ConnId id, const Tuple& original, const Tuple& mapped) {
    const Source source = source_of(original, conntrack.zone_of(id, Direction::Original));
    return sources
        .find_if(source,
                 [&](ConnId other) {
                     const auto its = invert(conntrack.table().tuple(other, Direction::Reply));
                     return other != id && its && its->source == mapped.source &&
                            its->source_port == mapped.source_port;
                 })
        .has_value();
}

}  // namespace

std::string_view name_of(PortReason reason) {
    return kNames[static_cast<std::size_t>(reason)];
}

PortAnswer why_port(const Mappings& mappings, const Mapping& mapping) {
    const Source& source = mapping.inside.source;
    if (source.port == mapping.outside.port) {
        return {PortReason::Kept, {}};
    }
    if (const auto reason = reason_of_choice(mapping)) {
        return {*reason, {}};
    }
    const MappingId holder =
        mappings.find(Outside{mapping.outside.address, source.port, source.protocol});
    if (holder != kNoMapping) {
        return {PortReason::Taken, mappings[holder].inside.source};
    }
    const bool second = (source.port & 1) == 1;
    return {mapping.range.behaviour.ports == PortChoice::Contiguous && second
                ? PortReason::Neighbour
                : PortReason::Taken,
            {}};
}

PortAnswer why_port(const conntrack::Conntrack& conntrack, const SourceIndex& sources, ConnId id,
                    const Range* rule, Instant now) {
    const Tuple original = conntrack.table().tuple(id, Direction::Original);
    const auto mapped = invert(conntrack.table().tuple(id, Direction::Reply));
    if (!mapped || mapped->source_port == original.source_port) {
        return {PortReason::Kept, {}};
    }
    if (rule != nullptr && (rule->random || rule->random_fully)) {
        return {PortReason::Random, {}};
    }
    if (rule != nullptr && outside_of_rule(original.source_port, *rule)) {
        return {PortReason::Range, {}};
    }
    Tuple wanted = *mapped;
    wanted.source_port = original.source_port;
    const auto reply = invert(wanted);
    const Zone zone = conntrack.zone_of(id, Direction::Reply);
    const auto hit = reply ? conntrack.table().find(*reply, zone, to_jiffies(now)) : std::nullopt;
    if (hit && hit->id != id) {
        const Tuple holder = conntrack.table().tuple(hit->id, Direction::Original);
        return {PortReason::Taken,
                source_of(holder, conntrack.zone_of(hit->id, Direction::Original))};
    }
    if (looks_like_another(conntrack, sources, id, original, *mapped)) {
        return {PortReason::LikeAnother, {}};
    }
    return {rule != nullptr ? PortReason::Taken : PortReason::Unknown, {}};
}

}  // namespace nsr::nat
