#include "router/tools/conntrack/tuple_args.hpp"

#include "core/wire/protocol.hpp"

namespace nsr::router {
namespace {

using conntrack::Tuple;
using Whole = Result<Tuple, std::string>;

std::string apply_mask(const std::optional<IpAddress>& mask, std::optional<Prefix>& prefix,
                       const std::string& side);
std::string check_families(const ConntrackFilter& filter);
Whole with_ports(Tuple tuple, const TupleFilter& given);
Whole with_icmp(Tuple tuple, const ConntrackFilter& filter);

}  // namespace

std::string complete_tuples(ConntrackFilter& filter) {
    TupleFilter& original = filter.tuples[0];
    std::string problem = apply_mask(original.source_mask, original.source, "src");
    if (problem.empty()) {
        problem = apply_mask(original.destination_mask, original.destination, "dst");
    }
    return problem.empty() ? check_families(filter) : problem;
}

Whole whole_tuple(const ConntrackFilter& filter) {
    const auto& [original, reply] = filter.tuples;
    const bool by_original = original.source && original.destination;
    const TupleFilter& given = by_original ? original : reply;
    if (!given.source || !given.destination || !filter.protocol) {
        return std::string("you have to specify `--src' and `--dst'");
    }
    Tuple tuple{given.source->address, given.destination->address, 0, 0, *filter.protocol};
    if (proto::has_ports(tuple.protocol)) {
        return with_ports(tuple, given);
    }
    // The other direction of an ICMP connection has another type, which no option gives.
    if (proto::is_icmp(tuple.protocol)) {
        return by_original ? with_icmp(tuple, filter)
                           : Whole(std::string("you have to specify `--src' and `--dst'"));
    }
    return tuple;
}

namespace {

std::string apply_mask(const std::optional<IpAddress>& mask, std::optional<Prefix>& prefix,
                       const std::string& side) {
    if (!mask) {
        return {};
    }
    if (!prefix) {
        return "Can't use --mask-" + side + " without --" + side;
    }
    if (mask->family != prefix->address.family) {
        return "a mask must be of the family of --" + side + ", not " + to_string(*mask);
    }
    for (unsigned length = 0; length <= mask->bits(); ++length) {
        if (mask_of(mask->family, length) == *mask) {
            prefix->length = static_cast<std::uint8_t>(length);
            return {};
        }
    }
    return "mask " + to_string(*mask) + " is not contiguous";
}

std::string check_families(const ConntrackFilter& filter) {
    std::optional<Family> family = filter.family;
    for (const TupleFilter& tuple : filter.tuples) {
        for (const std::optional<Prefix>& prefix : {tuple.source, tuple.destination}) {
            if (prefix && family.value_or(prefix->address.family) != prefix->address.family) {
                return "mismatched address family";
            }
            family = prefix ? prefix->address.family : family;
        }
    }
    return {};
}

Whole with_ports(Tuple tuple, const TupleFilter& given) {
    if (!given.source_port || !given.destination_port) {
        return std::string("you have to specify the ports, `--sport' and `--dport'");
    }
    tuple.source_port = *given.source_port;
    tuple.destination_port = *given.destination_port;
    return tuple;
}

Whole with_icmp(Tuple tuple, const ConntrackFilter& filter) {
    if (!filter.icmp_type || !filter.icmp_code || !filter.icmp_id) {
        return std::string("you have to specify `--icmp-type', `--icmp-code' and `--icmp-id'");
    }
    tuple.source_port = *filter.icmp_id;
    tuple.destination_port = static_cast<std::uint16_t>(*filter.icmp_type << 8 | *filter.icmp_code);
    return tuple;
}

}  // namespace

}  // namespace nsr::router
