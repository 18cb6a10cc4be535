// NAT: chooses the translation of a connection once, and applies it to every packet of it.
//
// Theory of operation
//   bind() runs for the first packet of a connection in each manipulation: a nat rule gives a Range
//   (or there is none: a null binding keeps the address and frees the tuple of clashes);
//   TupleChooser (unique_tuple.hpp) picks an address and port so that the reply tuple is nobody's.
//   The connection's reply tuple is altered, and SRC_NAT/DST_NAT and their DONE bits are set. If
//   everything that may be tried is taken, a clashing tuple stays and confirmation drops the
//   packet. apply() rewrites packets of bound connections: in PREROUTING and OUTPUT the
//   destination, in INPUT and POSTROUTING the source, the reverse for replies; errors also inside
//   their quotation (icmp_inner.hpp). An untranslated connection costs one test of its status.
//
//   A host keeps its mapping towards other destinations: the by-source index (source_index.hpp)
//   finds the newest connection of a source. A connection that kept its port behind the only
//   address of its rule would teach a newcomer nothing that the rule does not say itself; it is
//   left out until a pool of addresses comes into use. What masquerading must remember, the
//   interface, is in the record; so the index can be rebuilt from the table. The mappings of rules
//   that say how their NAT behaves (personality.hpp) cannot: they end with the router.
// kernel: nf_nat_core.c (nf_nat_setup_info, get_unique_tuple, nf_nat_packet, nf_nat_inet_fn),
// nf_nat_proto.c, nf_nat_masquerade.c, nf_nat_redirect.c
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/random.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/nat/mappings.hpp"
#include "core/nat/port_reason.hpp"
#include "core/nat/range.hpp"
#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"

namespace nsr::nat {

class Nat {
  public:
    Nat(conntrack::Conntrack& conntrack, RandomSource& random, SipKey key);
    ~Nat();

    // Has this manipulation been decided for the packet's connection? kernel: nf_nat_initialized
    [[nodiscard]] bool bound(const Packet& packet, Manip manip) const;
    // Decides it. `range` nothing: null binding. `rule` is remembered in the record. Only for
    // unconfirmed connections.
    Verdict bind(Packet& packet, Manip manip, const std::optional<Range>& range, RuleId rule,
                 Instant now);
    // The same without a rule, for a connection that was expected. kernel: nf_nat_setup_info
    Verdict bind_expected(ConnId id, Manip manip, const Range& range, Instant now);
    // For a connection that an administrator makes; `range` as of bind().
    Verdict bind_made(ConnId id, Manip manip, const std::optional<Range>& range, Instant now);
    // Rewrites the packet as its connection demands at this hook. kernel: nf_nat_packet,
    // nf_nat_icmp_reply_translation. A masqueraded connection that leaves through another interface
    // than before dies here. kernel: nf_nat_oif_changed
    Verdict apply(Packet& packet, Hook hook, Instant now);

    // An interface lost an address: connections masqueraded behind it die, a few thousand places of
    // the table now and the others as Conntrack::expire() is called. kernel: masq_inet_event, which
    // hands them to a work queue
    void address_removed(const IpAddress& address, IfIndex interface, Instant now);
    // An interface went down: all connections masqueraded behind it die, likewise. kernel:
    // masq_device_event
    void interface_down(IfIndex interface, Instant now);

    // As a NAT that was switched off and on: nobody is reached by a mapping of `rule` (nothing: of
    // any) any more, and connections that it translated die, likewise.
    void forget(std::optional<RuleId> rule, Instant now);

    // The table was filled from elsewhere (a state file): find the connections that matter to NAT.
    void rebuild(Instant now);
    // Of the index; without the mappings.
    [[nodiscard]] std::size_t bytes_in_use() const;
    // Those of rules that say how their NAT behaves.
    [[nodiscard]] const Mappings& mappings() const;
    // Why the source of a connection has its port outside. `rule`: as of nat::why_port().
    [[nodiscard]] PortAnswer why_port(ConnId id, const Range* rule, Instant now) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::nat
