#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/entry.hpp"

namespace nsr::router {
namespace {

using conntrack::Tuple;

template <class T>
bool is(const std::optional<T>& wanted, const T& value) {
    return !wanted || *wanted == value;
}

bool address_fits(const std::optional<IpAddress>& wanted, const std::optional<IpAddress>& mask,
                  const IpAddress& address) {
    if (!wanted) {
        return true;
    }
    if (wanted->family != address.family) {
        return false;
    }
    return mask ? (address & *mask) == (*wanted & *mask) : address == *wanted;
}

// The ports of a protocol that the kernel knows by number only fit nothing.
bool tuple_fits(const TupleFilter& filter, const Tuple& tuple) {
    const bool asks = filter.source_port || filter.destination_port;
    return address_fits(filter.source, filter.source_mask, tuple.source) &&
           address_fits(filter.destination, filter.destination_mask, tuple.destination) &&
           (!asks || conntrack::ports_of(tuple.protocol) != Ports::None) &&
           is(filter.source_port, tuple.source_port) &&
           is(filter.destination_port, tuple.destination_port);
}

bool icmp_fits(const ConntrackFilter& filter, const Tuple& original) {
    const auto type = static_cast<std::uint8_t>(original.destination_port >> 8);
    const auto code = static_cast<std::uint8_t>(original.destination_port);
    return is(filter.icmp_type, type) && is(filter.icmp_code, code) &&
           is(filter.icmp_id, original.source_port);
}

// A message of the kernel has one zone, or one for a direction; what it does not have is 0.
bool zones_fit(const ConntrackFilter& filter, const Entry& entry) {
    const bool shared = entry.zone_is_shared();
    const Zone none = 0;
    return is(filter.zone, shared ? entry.connection.zone : none) &&
           is(filter.zone_original, shared ? none : entry.zone_of(Direction::Original)) &&
           is(filter.zone_reply, shared ? none : entry.zone_of(Direction::Reply));
}

// How one end of a connection is translated. Of ICMP both are, for the tool compares type and code
// with the id. libnetfilter_conntrack: NFCT_GOPT_IS_SNAT, _IS_SPAT
struct Translation {
    const IpAddress& before;
    const IpAddress& after;
    std::uint16_t port_before;
    std::uint16_t port_after;
    bool done;

    [[nodiscard]] bool address() const { return done && before != after; }
    [[nodiscard]] bool port() const { return done && port_before != port_after; }
};

bool translated_as(const NatFilter& filter, const Translation& it) {
    if (!filter.address && !filter.port) {
        return it.address() || it.port();
    }
    return (!filter.address || (it.address() && it.after == *filter.address)) &&
           (!filter.port || (it.port() && it.port_after == *filter.port));
}

bool nat_fits(const ConntrackFilter& filter, const Entry& entry) {
    const Tuple& original = entry.tuple(Direction::Original);
    const Tuple& reply = entry.tuple(Direction::Reply);
    const auto has = [&](std::uint32_t bit) { return entry.connection.has(bit); };
    const bool source = translated_as(
        filter.source_nat, {original.source, reply.destination, original.source_port,
                            reply.destination_port, has(conntrack::status::kSrcNatDone)});
    const bool destination = translated_as(
        filter.destination_nat, {original.destination, reply.source, original.destination_port,
                                 reply.source_port, has(conntrack::status::kDstNatDone)});
    if (filter.any_nat) {
        return source || destination;
    }
    return (!filter.source_nat.wanted || source) && (!filter.destination_nat.wanted || destination);
}

bool labels_fit(const ConntrackFilter& filter, const Entry& entry) {
    if (!filter.labels) {
        return true;
    }
    for (std::size_t word = 0; word < filter.labels->size(); ++word) {
        const std::uint32_t set = entry.extra == nullptr ? 0 : entry.extra->labels[word];
        if (((*filter.labels)[word] & ~set) != 0) {
            return false;
        }
    }
    return true;
}

bool status_fits(const ConntrackFilter& filter, const conntrack::Connection& connection) {
    return !filter.offloaded && connection.has(filter.status) &&
           (filter.status_mask == 0 || (connection.status & filter.status_mask) == filter.status);
}

}  // namespace

bool selects(const ConntrackFilter& filter, const Entry& entry) {
    const conntrack::Connection& connection = entry.connection;
    const Tuple& original = entry.tuple(Direction::Original);
    return is(filter.family, connection.family) && is(filter.protocol, connection.protocol) &&
           tuple_fits(filter.tuples[0], original) &&
           tuple_fits(filter.tuples[1], entry.tuple(Direction::Reply)) &&
           icmp_fits(filter, original) && zones_fit(filter, entry) &&
           (!filter.state || *filter.state == conntrack::state_name(connection)) &&
           (!filter.mark || (connection.mark & filter.mark->mask) == filter.mark->value) &&
           status_fits(filter, connection) && nat_fits(filter, entry) &&
           labels_fit(filter, entry) &&
           is(filter.id, filter.id_is_place ? raw(entry.id) : shown_id(entry)) &&
           is(filter.timeout_seconds, entry.seconds_left());
}

}  // namespace nsr::router
