#include "core/nat/personality.hpp"

#include "core/nat/address_choice.hpp"
#include "core/nat/deterministic.hpp"
#include "core/nat/port_allocator.hpp"

namespace nsr::nat {

using conntrack::Tuple;
using conntrack::Welcome;
namespace status = conntrack::status;

namespace {

constexpr unsigned kSequentialTries = 1024;

bool same_parity(std::uint16_t a, std::uint16_t b) {
    return ((a ^ b) & 1) == 0;
}

// Ports of the whole class, or those that the rule names, or of the host's block.
PortSpan span_of(const Tuple& tuple, const Range& range, const std::optional<PortSpan>& block) {
    if (block) {
        return *block;
    }
    return span_for(tuple, Manip::Source, range, false).value_or(PortSpan{1024, 64512});
}

// RFC 4787 4.3 is about UDP; what refreshes TCP its states decide.
bool refreshes_one_way(const Behaviour& behaviour, const Tuple& tuple) {
    return behaviour.refresh != Refresh::Both &&
           (tuple.protocol == proto::kUdp || tuple.protocol == proto::kUdplite);
}

bool within(const PortSpan& span, std::uint32_t port) {
    return port >= span.min && port < span.min + span.size;
}

}  // namespace

bool Personality::can_map(const Tuple& tuple) {
    switch (tuple.protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kIcmp:
        case proto::kIcmpv6:
            return true;
        default:
            return false;
    }
}

Verdict Personality::bind_source(ConnId id, const Tuple& current, const Range& range, RuleId rule,
                                 IfIndex out, Instant now) {
    if (range.behaviour.no_udp && current.protocol == proto::kUdp) {
        return Verdict::drop(DropReason::NatRefused);
    }
    const auto mapping = mapping_for(id, current, range, rule, out, now);
    if (!mapping) {
        return Verdict::drop(mapping.error());
    }
    // At once: if anything fails below, the mapping goes with the connection.
    mappings_.join(*mapping, id, {current.destination});
    const Outside& outside = mappings_[*mapping].outside;
    Tuple chosen = current;
    chosen.source = outside.address;
    chosen.source_port = outside.port;
    const auto reply = invert(chosen);
    if (!reply || !conntrack_.alter_reply(id, *reply)) {
        return Verdict::drop(DropReason::TrackingFailed);
    }
    const bool one_way = refreshes_one_way(range.behaviour, current);
    conntrack_.set_nat(id,
                       status::kSrcNat | status::kSrcNatDone |
                           (one_way ? status::kOneWayRefresh : std::uint32_t{0}),
                       rule);
    if (range.masquerade) {
        conntrack_.set_masqueraded_behind(id, range.interface);
    }
    return Verdict::accept();
}

Result<MappingId, DropReason> Personality::mapping_for(ConnId id, const Tuple& tuple,
                                                       const Range& range, RuleId rule, IfIndex out,
                                                       Instant now) {
    const Behaviour& behaviour = range.behaviour;
    const Source source = source_of(tuple, conntrack_.zone_of(id, Direction::Original));
    const bool limited = behaviour.session_limit != 0;
    if (limited && mappings_.sessions_of(source.address) >= behaviour.session_limit) {
        return DropReason::NatSessionLimit;
    }
    const Inside inside = inside_of(source, tuple, behaviour.mapping);
    if (const MappingId known = mappings_.find(inside); known != kNoMapping) {
        return known;
    }
    const std::optional<HostBlock> own = behaviour.ports == PortChoice::Deterministic
                                             ? block_of_host(range, source.address)
                                             : std::nullopt;
    if (behaviour.ports == PortChoice::Deterministic && !own) {
        return DropReason::NatRefused;
    }
    Tuple moved = tuple;
    if (own) {
        moved.source = own->outside;
    } else {
        Range pool = range;
        pool.persistent = range.persistent || behaviour.pooling == Pooling::Paired ||
                          behaviour.ports == PortChoice::Blocks;
        choose_address(moved, Manip::Source, pool, source.zone);
    }
    Outside outside{moved.source, 0, tuple.protocol};
    std::optional<PortSpan> block = own ? std::optional(own->ports) : std::nullopt;
    if (behaviour.ports == PortChoice::Blocks) {
        const std::uint16_t size = behaviour.block_ports;
        const auto first = mappings_.block_of(source.address, outside.address, size);
        if (!first) {
            return DropReason::NatPortsUsedUp;
        }
        block = PortSpan{*first, size};
    }
    const auto port = choose_port(id, moved, range, block, now);
    if (!port) {
        mappings_.drop_unused_block(source.address);
        return DropReason::NatPortsUsedUp;
    }
    outside.port = *port;
    return mappings_.add({inside, outside, range, out, rule});
}

// The port itself where it is to be kept, then what the choice of the rule names, a bounded number
// of tries.
std::optional<std::uint16_t> Personality::choose_port(ConnId id, const Tuple& tuple,
                                                      const Range& range,
                                                      const std::optional<PortSpan>& block,
                                                      Instant now) {
    const PortChoice choice = range.behaviour.ports;
    const Source source = source_of(conntrack_.table().tuple(id, Direction::Original),
                                    conntrack_.zone_of(id, Direction::Original));
    const Outside outside{tuple.source, 0, tuple.protocol};
    const PortSpan span = span_of(tuple, range, block);
    const auto usable = [&](std::uint32_t port) {
        Outside candidate = outside;
        candidate.port = static_cast<std::uint16_t>(port);
        return within(span, port) && is_free(id, tuple, candidate, now);
    };
    if (choice == PortChoice::Sequential) {
        for (unsigned i = 0; i < kSequentialTries; ++i) {
            if (const std::uint16_t port = mappings_.next_port(outside, span); usable(port)) {
                return port;
            }
        }
        return std::nullopt;
    }
    if (choice == PortChoice::Contiguous) {
        if (const std::uint16_t port = neighbour(tuple, source); port != 0 && usable(port)) {
            return port;
        }
    }
    if (choice != PortChoice::Random && usable(tuple.source_port)) {
        return tuple.source_port;
    }
    const bool even = choice == PortChoice::Parity || choice == PortChoice::Contiguous;
    PortSequence sequence = sequence_for(span, tuple, Manip::Source, range, random_);
    while (const auto port = sequence.next()) {
        if ((!even || same_parity(*port, tuple.source_port)) && usable(*port)) {
            return port;
        }
    }
    return std::nullopt;
}

// No mapping has it, and no connection of another rule that would look the same.
bool Personality::is_free(ConnId id, Tuple tuple, const Outside& outside, Instant now) const {
    if (mappings_.find(outside) != kNoMapping) {
        return false;
    }
    tuple.source = outside.address;
    tuple.source_port = outside.port;
    const auto reply = invert(tuple);
    return reply && !conntrack_.table().taken(*reply, conntrack_.zone_of(id, Direction::Reply), id,
                                              to_jiffies(now));
}

// The port behind the one that the endpoint with the port before has; 0: there is none such.
std::uint16_t Personality::neighbour(const Tuple& tuple, const Source& source) const {
    if ((source.port & 1) == 0) {
        return 0;
    }
    Source before = source;
    --before.port;
    const MappingId mapping = mappings_.find(inside_of(before, tuple, Dependence::Endpoint));
    return mapping == kNoMapping ? std::uint16_t{0}
                                 : static_cast<std::uint16_t>(mappings_[mapping].outside.port + 1);
}

bool Personality::admits(MappingId mapping, const Outside& remote, Instant now) const {
    const Dependence filtering = mappings_[mapping].range.behaviour.filtering;
    if (filtering == Dependence::Endpoint) {
        return true;
    }
    const bool any_port = filtering == Dependence::Address;
    return (any_port && mappings_.knows(mapping, remote.address)) ||
           knocks_.heard(mapping, remote, any_port, now);
}

Welcome Personality::welcome(ConnId id, const Packet& packet, Instant now) {
    if (mappings_.empty() || proto::is_icmp(packet.layout.protocol)) {
        return {};
    }
    const Tuple tuple = conntrack_.table().tuple(id, Direction::Original);
    const MappingId mapping =
        mappings_.find(Outside{tuple.destination, tuple.destination_port, tuple.protocol});
    if (mapping == kNoMapping) {
        return {};
    }
    const Mapping body = mappings_[mapping];
    const Hairpin hairpin = body.range.behaviour.hairpin;
    const bool from_inside = packet.meta.in != body.out;
    if (from_inside && hairpin == Hairpin::No) {
        return {};
    }
    Outside seen{tuple.source, tuple.source_port, tuple.protocol};
    MappingId own = kNoMapping;
    if (from_inside && hairpin == Hairpin::External) {
        const auto made = mapping_for(id, tuple, body.range, body.rule, body.out, now);
        if (!made) {
            return {.refused = made.error()};
        }
        own = *made;
        seen = mappings_[own].outside;
        mappings_.join(own, id, {tuple.destination});
    }
    if (!admits(mapping, seen, now)) {
        if (own != kNoMapping) {
            knocks_.add(own, body.outside, now);
        }
        return {.refused = DropReason::NatFiltered};
    }
    Tuple reply = conntrack_.table().tuple(id, Direction::Reply);
    reply.source = body.inside.source.address;
    reply.source_port = body.inside.source.port;
    reply.destination = seen.address;
    reply.destination_port = seen.port;
    if (!conntrack_.alter_reply(id, reply)) {
        return {.refused = DropReason::TrackingFailed};
    }
    conntrack_.set_nat(id, status::kDstNat | status::kDstNatDone, body.rule);
    if (own != kNoMapping) {
        conntrack_.set_nat(id, status::kSrcNat | status::kSrcNatDone, body.rule);
    }
    const bool one_way = own == kNoMapping && refreshes_one_way(body.range.behaviour, tuple);
    if (one_way) {
        conntrack_.set_nat(id, status::kOneWayRefresh, body.rule);
    }
    const bool holds = !one_way || body.range.behaviour.refresh != Refresh::Outbound;
    mappings_.join(mapping, id, {seen.address, false, holds});
    return {.expected = true};
}

bool Personality::may_refresh(ConnId id, Direction direction) {
    const MappingId mapping = mappings_.mapping_of(id);
    if (mapping == kNoMapping) {
        return true;
    }
    const Refresh refresh = mappings_[mapping].range.behaviour.refresh;
    const bool outbound = mappings_.begun_inside(id) == (direction == Direction::Original);
    if (!outbound) {
        return refresh != Refresh::Outbound;
    }
    mappings_.hold(id);
    return refresh != Refresh::Inbound;
}

bool Personality::drops_errors(ConnId id) const {
    const MappingId mapping = mappings_.empty() ? kNoMapping : mappings_.mapping_of(id);
    return mapping != kNoMapping &&
           mappings_[mapping].range.behaviour.icmp_errors == IcmpErrors::Drop;
}

}  // namespace nsr::nat
