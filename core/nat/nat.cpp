#include "core/nat/nat.hpp"

#include <utility>

#include "core/nat/address_choice.hpp"
#include "core/nat/icmp_inner.hpp"
#include "core/nat/personality.hpp"
#include "core/nat/source_index.hpp"
#include "core/nat/translate.hpp"
#include "core/nat/unique_tuple.hpp"

namespace nsr::nat {

using conntrack::Connection;
using conntrack::Conntrack;
using conntrack::Tuple;
namespace status = conntrack::status;

namespace {

constexpr Manip manip_at(Hook hook) {
    return hook == Hook::Input || hook == Hook::Postrouting ? Manip::Source : Manip::Destination;
}

// The bit that says whether packets going in `direction` change at the end `manip`.
constexpr std::uint32_t bit_for(Manip manip, Direction direction) {
    const bool source = (manip == Manip::Source) == (direction == Direction::Original);
    return source ? status::kSrcNat : status::kDstNat;
}

constexpr std::uint32_t done_bit(Manip manip) {
    return manip == Manip::Source ? status::kSrcNatDone : status::kDstNatDone;
}

bool is_pool(const Range& range) {
    return range.map_addresses && range.min_address != range.max_address;
}

Range null_range(const Tuple& current, Manip manip);

}  // namespace

struct Nat::Impl {
    Impl(Conntrack& conntrack_in, RandomSource& random_in, SipKey key)
        : conntrack(conntrack_in),
          random(random_in),
          sources(conntrack_in, key),
          personality(conntrack_in, random_in, key) {}

    Verdict setup(ConnId id, Manip manip, const std::optional<Range>& range, RuleId rule,
                  IfIndex out, Instant now);
    Range range_for(const Tuple& current, Manip manip, const std::optional<Range>& range) const;
    void remember_source(ConnId id, const Range& range);
    void index_all(Instant now);
    Verdict apply_to_error(Packet& packet, Manip manip);
    Verdict move_away(Packet& packet, Instant now);

    Conntrack& conntrack;
    RandomSource& random;
    SourceIndex sources;
    Personality personality;
    bool pools = false;  // a rule with several addresses has been used: every source matters
};

Nat::Nat(Conntrack& conntrack, RandomSource& random, SipKey key)
    : impl_(std::make_unique<Impl>(conntrack, random, key)) {
    conntrack.on_erase = [impl = impl_.get()](ConnId id) {
        impl->sources.erase(id);
        impl->personality.erase(id);
    };
    conntrack.on_unexpected = [impl = impl_.get()](ConnId id, const Packet& packet, Instant now) {
        return impl->personality.welcome(id, packet, now);
    };
    conntrack.on_refresh = [impl = impl_.get()](ConnId id, Direction direction) {
        return impl->personality.refreshes(id, direction);
    };
}

Nat::~Nat() {
    impl_->conntrack.on_erase = nullptr;
    impl_->conntrack.on_unexpected = nullptr;
    impl_->conntrack.on_refresh = nullptr;
}

bool Nat::bound(const Packet& packet, Manip manip) const {
    return impl_->conntrack.table()[packet.meta.conn].has(done_bit(manip));
}

Verdict Nat::bind(Packet& packet, Manip manip, const std::optional<Range>& range, RuleId rule,
                  Instant now) {
    return impl_->setup(packet.meta.conn, manip, range, rule, packet.meta.out, now);
}

Verdict Nat::bind_expected(ConnId id, Manip manip, const Range& range, Instant now) {
    return impl_->setup(id, manip, range, RuleId::None, IfIndex::None, now);
}

Verdict Nat::bind_made(ConnId id, Manip manip, const std::optional<Range>& range, Instant now) {
    return impl_->setup(id, manip, range, RuleId::None, IfIndex::None, now);
}

// kernel: nf_nat_setup_info
Verdict Nat::Impl::setup(ConnId id, Manip manip, const std::optional<Range>& range, RuleId rule,
                         IfIndex out, Instant now) {
    if (conntrack.table()[id].has_any(status::kConfirmed | done_bit(manip))) {
        return Verdict::accept();
    }
    const auto current = invert(conntrack.table().tuple(id, Direction::Reply));
    if (!current) {
        return Verdict::drop(DropReason::NatUntranslatable);
    }
    if (range && range->behaves && manip == Manip::Source && Personality::can_map(*current)) {
        return personality.bind_source({id, *current, *range, rule, out, now});
    }
    const Range wanted = range_for(*current, manip, range);
    if (is_pool(wanted) && !std::exchange(pools, true)) {
        index_all(now);
    }
    TupleChooser chooser(conntrack, random, sources);
    const Tuple chosen = chooser.choose({id, *current, wanted, manip, range.has_value()}, now);
    if (chooser.used_up()) {
        return Verdict::drop(DropReason::NatPortsUsedUp);
    }
    std::uint32_t bits = done_bit(manip);
    if (chosen != *current) {
        const auto reply = invert(chosen);
        if (!reply || !conntrack.alter_reply(id, *reply)) {
            return Verdict::drop(DropReason::TrackingFailed);
        }
        bits |= bit_for(manip, Direction::Original);
    }
    conntrack.set_nat(id, bits, rule);
    if (manip == Manip::Source) {
        remember_source(id, wanted);
    }
    return Verdict::accept();
}

Verdict Nat::apply(Packet& packet, Hook hook, Instant now) {
    if (packet.meta.conn == ConnId::None) {
        return Verdict::accept();
    }
    const Connection& record = impl_->conntrack.table()[packet.meta.conn];
    const bool touched = record.has_any(status::kNatMask | status::kMasqueradeMask);
    if (!touched && !is_related(packet.meta.ct_info)) {
        return Verdict::accept();
    }
    const Manip manip = manip_at(hook);
    if (is_related(packet.meta.ct_info) && is_icmp_error(packet)) {
        if (hook == Hook::Prerouting && impl_->personality.drops_errors(packet.meta.conn)) {
            return Verdict::drop(DropReason::NatFiltered);
        }
        return impl_->apply_to_error(packet, manip);
    }
    const Direction direction = direction_of(packet.meta.ct_info);
    const IfIndex behind = record.masqueraded_behind();
    if (hook == Hook::Postrouting && direction == Direction::Original && behind != IfIndex::None &&
        behind != packet.meta.out) {
        return impl_->move_away(packet, now);
    }
    if (!record.has(bit_for(manip, direction))) {
        return Verdict::accept();
    }
    const Tuple answer = impl_->conntrack.table().tuple(packet.meta.conn, opposite(direction));
    return translate(packet, manip, endpoint_for(answer, manip))
               ? Verdict::accept()
               : Verdict::drop(DropReason::NatUntranslatable);
}

void Nat::address_removed(const IpAddress& address, IfIndex interface, Instant now) {
    const conntrack::Table& table = impl_->conntrack.table();
    const auto note = impl_->personality.forget({.outside = address, .behind = interface});
    impl_->conntrack.iterate(
        [impl = impl_.get(), &table, address, interface, note](ConnId id) {
            return (table[id].masqueraded_behind() == interface &&
                    table.tuple(id, Direction::Reply).destination == address) ||
                   impl->personality.has_forgotten(id);
        },
        now);
}

void Nat::interface_down(IfIndex interface, Instant now) {
    const conntrack::Table& table = impl_->conntrack.table();
    const auto note = impl_->personality.forget({.behind = interface});
    impl_->conntrack.iterate(
        [impl = impl_.get(), &table, interface, note](ConnId id) {
            return table[id].masqueraded_behind() == interface ||
                   impl->personality.has_forgotten(id);
        },
        now);
}

// A connection of a mapping goes if its mapping does: it may have been made since.
void Nat::forget(std::optional<RuleId> rule, Instant now) {
    const conntrack::Table& table = impl_->conntrack.table();
    const auto note = impl_->personality.forget({.rule = rule});
    impl_->conntrack.iterate(
        [impl = impl_.get(), &table, rule, note](ConnId id) {
            if (impl->personality.mappings().mapping_of(id) != kNoMapping) {
                return impl->personality.has_forgotten(id);
            }
            return table[id].has_any(status::kNatMask) &&
                   (!rule || table[id].translated_by == *rule);
        },
        now);
}

PortAnswer Nat::why_port(ConnId id, const Range* rule, Instant now) const {
    return nat::why_port(impl_->conntrack, impl_->sources, id, rule, now);
}

// Which rule a mapping came from is not known: every source is indexed.
void Nat::rebuild(Instant now) {
    impl_->index_all(now);
}

std::size_t Nat::bytes_in_use() const {
    return impl_->sources.bytes_in_use();
}

const Mappings& Nat::mappings() const {
    return impl_->personality.mappings();
}

// What the rule means for this connection. Without a rule, or for masquerading what has no source
// address yet (kernel: nf_nat_masquerade_ipv4), the address stays.
Range Nat::Impl::range_for(const Tuple& current, Manip manip,
                           const std::optional<Range>& range) const {
    if (!range || (range->masquerade && current.source.is_unspecified())) {
        return null_range(current, manip);
    }
    return *range;
}

void Nat::Impl::remember_source(ConnId id, const Range& range) {
    if (range.masquerade) {
        conntrack.set_masqueraded_behind(id, range.interface);
    }
    if (!conntrack.table()[id].has(status::kSrcNat)) {
        return;
    }
    const Tuple original = conntrack.table().tuple(id, Direction::Original);
    const auto mapped = invert(conntrack.table().tuple(id, Direction::Reply));
    const bool says_nothing_new =
        range.map_addresses && mapped && mapped->source_port == original.source_port;
    const Source source = source_of(original, conntrack.zone_of(id, Direction::Original));
    if (pools || !says_nothing_new || sources.find(source)) {
        sources.insert(id);
    }
}

// Those that were left out so far, too. differs: nat-pool-first-use
void Nat::Impl::index_all(Instant now) {
    conntrack.iterate(
        [this](ConnId id) {
            if (conntrack.table()[id].has(status::kSrcNat) && !sources.contains(id)) {
                sources.insert(id);
            }
            return false;
        },
        now);
}

// kernel: nf_nat_icmp_reply_translation, nf_nat_icmpv6_reply_translation
Verdict Nat::Impl::apply_to_error(Packet& packet, Manip manip) {
    const Connection& record = conntrack.table()[packet.meta.conn];
    gather_quoted_header(packet);
    if (!has_good_checksum(packet)) {
        return Verdict::drop(DropReason::NatUntranslatable);
    }
    if (is_redirect(packet) &&
        (!record.has(status::kNatDoneMask) || record.has_any(status::kNatMask))) {
        return Verdict::drop(DropReason::NatUntranslatable);
    }
    const Direction direction = direction_of(packet.meta.ct_info);
    if (!record.has(bit_for(manip, direction))) {
        return Verdict::accept();
    }
    const Tuple answer = conntrack.table().tuple(packet.meta.conn, opposite(direction));
    return translate_error(packet, manip, endpoint_for(answer, manip))
               ? Verdict::accept()
               : Verdict::drop(DropReason::NatUntranslatable);
}

// The address it is masqueraded behind belongs to another link: the connection cannot go on.
Verdict Nat::Impl::move_away(Packet& packet, Instant now) {
    if (conntrack.table()[packet.meta.conn].has(status::kConfirmed)) {
        conntrack.destroy(packet.meta.conn, now);
        packet.meta.conn = ConnId::None;
        packet.meta.ct_info = CtInfo::Invalid;
    }
    return Verdict::drop(DropReason::NatUntranslatable);
}

namespace {

// kernel: nf_nat_alloc_null_binding
Range null_range(const Tuple& current, Manip manip) {
    Range range;
    set_address(range, manip == Manip::Source ? current.source : current.destination);
    return range;
}

}  // namespace

}  // namespace nsr::nat
