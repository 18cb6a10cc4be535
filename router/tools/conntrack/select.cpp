#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/entry.hpp"

namespace nsr::router {
namespace {

using conntrack::Tuple;

bool tuple_fits(const TupleFilter& filter, const Tuple& tuple) {
    const auto is = [](const auto& wanted, const auto& value) {
        return !wanted || *wanted == value;
    };
    return (!filter.source || filter.source->contains(tuple.source)) &&
           (!filter.destination || filter.destination->contains(tuple.destination)) &&
           is(filter.source_port, tuple.source_port) &&
           is(filter.destination_port, tuple.destination_port);
}

bool icmp_fits(const ConntrackFilter& filter, const Tuple& original) {
    const auto type = static_cast<std::uint8_t>(original.destination_port >> 8);
    const auto code = static_cast<std::uint8_t>(original.destination_port);
    return (!filter.icmp_type || *filter.icmp_type == type) &&
           (!filter.icmp_code || *filter.icmp_code == code) &&
           (!filter.icmp_id || *filter.icmp_id == original.source_port);
}

bool zones_fit(const ConntrackFilter& filter, const Entry& entry) {
    const Zone original = entry.zone_of(Direction::Original);
    const Zone reply = entry.zone_of(Direction::Reply);
    return (!filter.zone || (*filter.zone == original && *filter.zone == reply)) &&
           (!filter.zone_original || *filter.zone_original == original) &&
           (!filter.zone_reply || *filter.zone_reply == reply);
}

// kSrcNat, kDstNat: which ends differ. Of ICMP both do, for the tool takes type and code for a port
// that became the id, or the other way round. libnetfilter_conntrack: NFCT_GOPT_IS_SNAT, _IS_SPAT
std::uint32_t translations(const conntrack::Connection& connection, const Tuple& original,
                           const Tuple& reply) {
    const bool source =
        reply.destination != original.source || reply.destination_port != original.source_port;
    const bool destination =
        reply.source != original.destination || reply.source_port != original.destination_port;
    return (connection.has(conntrack::status::kSrcNatDone) && source ? conntrack::status::kSrcNat
                                                                     : 0) |
           (connection.has(conntrack::status::kDstNatDone) && destination
                ? conntrack::status::kDstNat
                : 0);
}

// The reply's ends are the translated ones: its destination is the new source, its source the new
// destination.
bool nat_fits(const ConntrackFilter& filter, const conntrack::Connection& connection,
              const Tuple& original, const Tuple& reply) {
    if (filter.nat_any != 0 && (translations(connection, original, reply) & filter.nat_any) == 0) {
        return false;
    }
    const bool source = connection.has_any(conntrack::status::kSrcNat);
    const bool destination = connection.has_any(conntrack::status::kDstNat);
    const auto becomes = [](const Prefix& wanted, bool translated, const IpAddress& now) {
        return translated && wanted.contains(now);
    };
    return (!filter.nat_source || becomes(*filter.nat_source, source, reply.destination)) &&
           (!filter.nat_destination ||
            becomes(*filter.nat_destination, destination, reply.source)) &&
           (!filter.nat_either || becomes(*filter.nat_either, source, reply.destination) ||
            becomes(*filter.nat_either, destination, reply.source));
}

}  // namespace

bool selects(const ConntrackFilter& filter, const Entry& entry) {
    const conntrack::Connection& connection = entry.connection;
    const Tuple& original = entry.tuple(Direction::Original);
    const Tuple& reply = entry.tuple(Direction::Reply);
    return (!filter.family || *filter.family == connection.family) &&
           (!filter.protocol || *filter.protocol == connection.protocol) &&
           tuple_fits(filter.tuples[0], original) && tuple_fits(filter.tuples[1], reply) &&
           icmp_fits(filter, original) && zones_fit(filter, entry) &&
           (!filter.state || *filter.state == conntrack::state_name(connection)) &&
           (!filter.mark || (connection.mark & filter.mark->mask) == filter.mark->value) &&
           connection.has(filter.status_set) && !connection.has_any(filter.status_clear) &&
           nat_fits(filter, connection, original, reply) &&
           (!filter.id || *filter.id == raw(entry.id));
}

}  // namespace nsr::router
