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

// May the rule use the mapping? It has one of its addresses, or is masqueraded behind the same
// interface, whichever of the interface's addresses was chosen then.
bool allows(const Range& range, const IpAddress& inside, const Mapping& mapping) {
    const IpAddress& outside = mapping.outside.address;
    if (range.masquerade && mapping.range.masquerade) {
        return range.interface == mapping.range.interface;
    }
    return range.map_addresses ? range.min_address <= outside && outside <= range.max_address
                               : outside == inside;
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

Verdict Personality::bind_source(const Binding& binding) {
    const Range& range = binding.range;
    const Tuple& current = binding.tuple;
    if (range.behaviour.no_udp && current.protocol == proto::kUdp) {
        return Verdict::drop(DropReason::NatRefused);
    }
    const auto mapping = mapping_for(binding);
    if (!mapping) {
        return Verdict::drop(mapping.error());
    }
    // At once: if anything fails below, the mapping goes with the connection.
    mappings_.join(*mapping, binding.id, {current.destination});
    const Outside& outside = mappings_[*mapping].outside;
    Tuple chosen = current;
    chosen.source = outside.address;
    chosen.source_port = outside.port;
    const auto reply = invert(chosen);
    if (!reply || !conntrack_.alter_reply(binding.id, *reply)) {
        return Verdict::drop(DropReason::TrackingFailed);
    }
    const bool one_way = refreshes_one_way(range.behaviour, current);
    conntrack_.set_nat(binding.id,
                       status::kSrcNat | status::kSrcNatDone |
                           (one_way ? status::kOneWayRefresh : std::uint32_t{0}),
                       binding.rule);
    if (range.masquerade) {
        conntrack_.set_masqueraded_behind(binding.id, range.interface);
    }
    return Verdict::accept();
}

Result<MappingId, DropReason> Personality::mapping_for(const Binding& binding) {
    const Range& range = binding.range;
    const Source source =
        source_of(binding.tuple, conntrack_.zone_of(binding.id, Direction::Original));
    const Host host = host_of(source);
    const std::uint32_t limit = range.behaviour.session_limit;
    if (limit != 0 && mappings_.sessions_of(host).begun_inside >= limit) {
        return DropReason::NatSessionLimit;
    }
    const Inside inside = inside_of(source, binding.out, binding.tuple, range.behaviour.mapping);
    const MappingId known = mappings_.find(inside);
    if (known != kNoMapping && allows(range, source.address, mappings_[known])) {
        return known;
    }
    const auto place = place_for(binding, source);
    if (!place) {
        return place.error();
    }
    const auto port = choose_port(binding, source, *place);
    if (!port) {
        mappings_.drop_unused_block(host, place->address, range);
        return DropReason::NatPortsUsedUp;
    }
    const Outside outside{place->address, *port, source.protocol};
    return mappings_.add({inside, outside, range, binding.rule});
}

// An address of the rule's, and the host's block there, the rule's ports or the whole class.
Result<Personality::Place, DropReason> Personality::place_for(const Binding& binding,
                                                              const Source& source) {
    const Range& range = binding.range;
    const PortChoice choice = range.behaviour.ports;
    if (choice == PortChoice::Deterministic) {
        const auto own = block_of_host(range, source.address);
        return own ? Result<Place, DropReason>(Place{own->outside, own->ports})
                   : Result<Place, DropReason>(DropReason::NatRefused);
    }
    Range pool = range;
    pool.persistent = range.persistent || range.behaviour.pooling == Pooling::Paired ||
                      choice == PortChoice::Blocks;
    Tuple moved = binding.tuple;
    choose_address(moved, Manip::Source, pool, source.zone);
    if (choice == PortChoice::Blocks) {
        const auto block = mappings_.block_of(host_of(source), moved.source, range);
        return block ? Result<Place, DropReason>(Place{moved.source, *block})
                     : Result<Place, DropReason>(DropReason::NatPortsUsedUp);
    }
    const auto ports = span_for(binding.tuple, Manip::Source, range, false);
    return Place{moved.source, ports.value_or(kUnprivilegedPorts)};
}

// The port itself where it is to be kept, then what the choice of the rule names, a bounded number
// of tries.
std::optional<std::uint16_t> Personality::choose_port(const Binding& binding, const Source& source,
                                                      const Place& place) {
    const PortChoice choice = binding.range.behaviour.ports;
    const Outside outside{place.address, 0, source.protocol};
    const auto usable = [&](std::uint16_t port) {
        return within(place.ports, port) &&
               is_free(binding, {outside.address, port, outside.protocol});
    };
    if (choice == PortChoice::Sequential) {
        for (unsigned i = 0; i < kSequentialTries; ++i) {
            if (const auto port = mappings_.next_port(outside, place.ports); usable(port)) {
                return port;
            }
        }
        return std::nullopt;
    }
    if (choice == PortChoice::Contiguous) {
        if (const std::uint16_t port = neighbour(binding, source); port != 0 && usable(port)) {
            return port;
        }
    }
    if (choice != PortChoice::Random && usable(source.port)) {
        return source.port;
    }
    const bool even = choice == PortChoice::Parity || choice == PortChoice::Contiguous;
    PortSequence sequence =
        sequence_for(place.ports, binding.tuple, Manip::Source, binding.range, random_);
    while (const auto port = sequence.next()) {
        if ((!even || same_parity(*port, source.port)) && usable(*port)) {
            return port;
        }
    }
    return std::nullopt;
}

// No mapping has it, and no connection of another rule that would look the same.
bool Personality::is_free(const Binding& binding, const Outside& outside) const {
    if (mappings_.find(outside) != kNoMapping) {
        return false;
    }
    Tuple tuple = binding.tuple;
    tuple.source = outside.address;
    tuple.source_port = outside.port;
    const auto reply = invert(tuple);
    const Zone zone = conntrack_.zone_of(binding.id, Direction::Reply);
    return reply && !conntrack_.table().taken(*reply, zone, binding.id, to_jiffies(binding.now));
}

// The port behind the one that the endpoint with the port before has; 0: there is none such.
std::uint16_t Personality::neighbour(const Binding& binding, const Source& source) const {
    if ((source.port & 1) == 0) {
        return 0;
    }
    Source before = source;
    --before.port;
    const MappingId mapping =
        mappings_.find(inside_of(before, binding.out, binding.tuple, Dependence::Endpoint));
    return mapping == kNoMapping ? std::uint16_t{0}
                                 : static_cast<std::uint16_t>(mappings_[mapping].outside.port + 1);
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
    const bool from_inside = comes_from_inside(packet);
    if (from_inside && hairpin == Hairpin::No) {
        return {};
    }
    Outside seen{tuple.source, tuple.source_port, tuple.protocol};
    const bool turns_back = from_inside && hairpin == Hairpin::External;
    if (turns_back) {
        const auto own = mapping_for({id, tuple, body.range, body.rule, body.inside.out, now});
        if (!own) {
            return {.refused = own.error()};
        }
        seen = mappings_[*own].outside;
        mappings_.join(*own, id, {tuple.destination});
    }
    if (!admits(body, mapping, seen, now)) {
        if (turns_back) {
            const Source source = source_of(tuple, conntrack_.zone_of(id, Direction::Original));
            knocks_.add({source, seen, body.outside}, now);
        }
        return {.refused = DropReason::NatFiltered};
    }
    const auto refused = let_in(id, mapping, seen);
    return refused ? Welcome{.refused = refused} : Welcome{.expected = true};
}

// An interface out of which mappings lead is outside, whichever of several it is.
bool Personality::comes_from_inside(const Packet& packet) const {
    return packet.meta.in == IfIndex::None || !mappings_.leads_out(packet.meta.in);
}

// A filter that depends on the port admits those that the connection table knows, which are not
// asked about here.
bool Personality::admits(const Mapping& mapping, MappingId id, const Outside& remote,
                         Instant now) const {
    const Dependence filtering = mapping.range.behaviour.filtering;
    if (filtering == Dependence::Endpoint) {
        return true;
    }
    const bool any_port = filtering == Dependence::Address;
    return (any_port && mappings_.knows(id, remote.address)) ||
           knocks_.heard({mapping.inside.source, mapping.outside, remote}, any_port, now);
}

// The connection goes to the mapping's inside endpoint, which sees it come from `seen`.
std::optional<DropReason> Personality::let_in(ConnId id, MappingId mapping, const Outside& seen) {
    const Mapping& body = mappings_[mapping];
    const Behaviour& behaviour = body.range.behaviour;
    const Tuple tuple = conntrack_.table().tuple(id, Direction::Original);
    const std::uint32_t limit = behaviour.session_limit;
    if (limit != 0 && mappings_.sessions_of(host_of(body.inside.source)).begun_outside >= limit) {
        return DropReason::NatSessionLimit;
    }
    Tuple reply = conntrack_.table().tuple(id, Direction::Reply);
    reply.source = body.inside.source.address;
    reply.source_port = body.inside.source.port;
    reply.destination = seen.address;
    reply.destination_port = seen.port;
    if (!conntrack_.alter_reply(id, reply)) {
        return DropReason::TrackingFailed;
    }
    const bool turns_back = mappings_.mapping_of(id) != kNoMapping;
    const bool one_way = !turns_back && refreshes_one_way(behaviour, tuple);
    conntrack_.set_nat(id,
                       status::kDstNat | status::kDstNatDone |
                           (turns_back ? status::kSrcNat | status::kSrcNatDone : 0u) |
                           (one_way ? status::kOneWayRefresh : 0u),
                       body.rule);
    const bool holds = !one_way || behaviour.refresh != Refresh::Outbound;
    mappings_.join(mapping, id, {seen.address, false, holds});
    return std::nullopt;
}

bool Personality::refreshes(ConnId id, Direction direction) {
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
