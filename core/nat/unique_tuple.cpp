#include "core/nat/unique_tuple.hpp"

#include <algorithm>

#include "core/nat/address_choice.hpp"
#include "core/nat/port_allocator.hpp"

namespace nsr::nat {

using conntrack::Connection;
using conntrack::Hit;
using conntrack::TcpConntrack;
using conntrack::Tuple;
namespace status = conntrack::status;

namespace {

// Old connections are killed for their port only when the search is nearly over.
constexpr std::uint32_t kLastAttempts = 32;

bool wants_random(const Range& range) {
    return range.random || range.random_fully;
}

}  // namespace

Tuple TupleChooser::choose(const TupleRequest& request, Instant now) {
    comes_home_ = request.by_rule && request.manip == Manip::Source && !conntrack_.shard().alone();
    if (request.manip == Manip::Source && !wants_random(request.range)) {
        if (const auto kept = keep_source(request, now)) {
            return *kept;
        }
    }
    Tuple tuple = request.current;
    choose_address(tuple, request.manip, request.range, conntrack_.table()[request.id].zone);
    if (!key_may_stay(tuple, request, now)) {
        search_key(tuple, request, now);
    }
    return tuple;
}

// The source as it is, or as it already looks in another connection.
std::optional<Tuple> TupleChooser::keep_source(const TupleRequest& request, Instant now) const {
    if (source_in_range(request.current, request.range)) {
        const bool free = !used(request.current, request.id, now) || meets_mirror(request.id, now);
        return free ? std::optional(request.current) : std::nullopt;
    }
    const std::optional<Tuple> candidate = mapping_of_source(request);
    return candidate && !used(*candidate, request.id, now) ? candidate : std::nullopt;
}

// Is what is in the way the same flow seen from the other side, as a zone for one direction makes
// it? Another port would not help. kernel: nf_nat_used_tuple_new, nf_nat_allow_clash
bool TupleChooser::meets_mirror(ConnId newcomer, Instant now) const {
    const conntrack::Table& table = conntrack_.table();
    const std::uint8_t protocol = table[newcomer].protocol;
    if (protocol != proto::kUdp && protocol != proto::kUdplite && protocol != proto::kGre) {
        return false;
    }
    const Tuple original = table.tuple(newcomer, Direction::Original);
    const Tuple reply = table.tuple(newcomer, Direction::Reply);
    const auto old = table.find(reply, conntrack_.zone_of(newcomer, Direction::Reply),
                                to_jiffies(now), Direction::Original);
    return old && !table[old->id].has_any(status::kNatMask) &&
           table.tuple(old->id, Direction::Reply) == original;
}

// kernel: find_appropriate_src
std::optional<Tuple> TupleChooser::mapping_of_source(const TupleRequest& request) const {
    const Zone zone = conntrack_.zone_of(request.id, Direction::Original);
    std::optional<Tuple> mapped;
    const auto known = sources_.find_if(source_of(request.current, zone), [&](ConnId other) {
        mapped = invert(conntrack_.table().tuple(other, Direction::Reply));
        if (!mapped) {
            return false;
        }
        mapped->destination = request.current.destination;
        mapped->destination_port = request.current.destination_port;
        return source_in_range(*mapped, request.range);
    });
    return known ? mapped : std::nullopt;
}

bool TupleChooser::key_may_stay(const Tuple& tuple, const TupleRequest& request,
                                Instant now) const {
    const Range& range = request.range;
    if (wants_random(range) || (range.map_ports && range.offset_ports)) {
        return false;
    }
    if (!range.map_ports) {
        return !used(tuple, request.id, now);
    }
    // A single port is taken without a look: another one there is not.
    return key_in_range(tuple, request.manip, range) &&
           (range.min_port == range.max_port || !used(tuple, request.id, now));
}

// kernel: nf_nat_l4proto_unique_tuple
void TupleChooser::search_key(Tuple& tuple, const TupleRequest& request, Instant now) {
    const bool expected = conntrack_.table()[request.id].has(status::kExpected);
    const auto span = span_for(tuple, request.manip, request.range, expected);
    std::uint16_t* key = key_of(tuple, request.manip);
    if (!span || key == nullptr) {
        return;
    }
    comes_home_ = comes_home_ && span->size > 1;  // else its answers have to be claimed
    if (comes_home_ && !wants_random(request.range) &&
        search_row(tuple, *key, *span, request, now)) {
        return;
    }
    PortSequence sequence = sequence_for(*span, tuple, request.manip, request.range, random_);
    while (const auto candidate = sequence.next()) {
        *key = *candidate;
        const bool taken = sequence.attempts_left() > kLastAttempts
                               ? used(tuple, request.id, now)
                               : used_harder(tuple, request.id, now);
        if (!taken) {
            return;
        }
    }
    used_up_ = comes_home_;  // whether others have what is left cannot be known here
}

// Of several shards: the first free one of a row of ports that its own begins, so that a connection
// that is forgotten and taken up again has the same one. In long steps, because neighbours in time
// have neighbouring ports.
bool TupleChooser::search_row(Tuple& tuple, std::uint16_t& key, const PortSpan& span,
                              const TupleRequest& request, Instant now) const {
    constexpr std::uint32_t kTries = 128;
    constexpr std::uint32_t kStep = 12289;  // a prime: all of a small range are tried
    const std::uint16_t own = key;
    const std::uint32_t begin = own >= span.min ? own - span.min : own;
    for (std::uint32_t step = 0; step < std::min(span.size, kTries); ++step) {
        key = static_cast<std::uint16_t>(span.min + (begin + step * kStep) % span.size);
        if (!used(tuple, request.id, now)) {
            return true;
        }
    }
    key = own;
    return false;
}

// kernel: nf_nat_used_tuple
bool TupleChooser::used(const Tuple& tuple, ConnId except, Instant now) const {
    const auto reply = invert(tuple);
    return reply && (astray(*reply) || conntrack_.shard().are_taken_elsewhere(*reply) ||
                     conntrack_.table().taken(*reply, conntrack_.zone_of(except, Direction::Reply),
                                              except, to_jiffies(now)));
}

// A port with which the answers would come to another shard is as good as taken.
bool TupleChooser::astray(const Tuple& reply) const {
    return comes_home_ && !conntrack_.shard().is_home_of(reply);
}

// A client that has left its port to TIME_WAIT gives it to one that begins anew. kernel:
// nf_nat_used_tuple_harder
bool TupleChooser::used_harder(const Tuple& tuple, ConnId except, Instant now) {
    const auto opening = static_cast<std::uint8_t>(TcpConntrack::SynSent);
    if (tuple.protocol != proto::kTcp || conntrack_.table()[except].state.tcp.state != opening) {
        return used(tuple, except, now);
    }
    const auto reply = invert(tuple);
    if (astray(*reply) || conntrack_.shard().are_taken_elsewhere(*reply)) {
        return true;
    }
    const auto old = conntrack_.table().find(*reply, conntrack_.zone_of(except, Direction::Reply),
                                             to_jiffies(now));
    if (!old) {
        return false;
    }
    if (!may_kill(*old, except)) {
        return true;
    }
    conntrack_.destroy(old->id, now);
    return false;
}

// kernel: nf_nat_may_kill, nf_seq_has_advanced: the server must see the old connection's segments
// as old.
bool TupleChooser::may_kill(const Hit& old, ConnId newcomer) const {
    const Connection& record = conntrack_.table()[old.id];
    if (old.direction == Direction::Original || !record.has(status::kSrcNat) ||
        record.has_any(status::kFixedTimeout | status::kDying) ||
        record.state.tcp.state < static_cast<std::uint8_t>(TcpConntrack::TimeWait)) {
        return false;
    }
    const std::uint32_t beginning = conntrack_.table()[newcomer].state.tcp.seen[0].end;
    return static_cast<std::int32_t>(beginning - record.state.tcp.seen[0].end) > 0;
}

}  // namespace nsr::nat
