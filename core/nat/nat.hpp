// NAT: chooses the translation of a connection once, and applies it to every packet of it.
//
// Theory of operation
//   bind() runs for the first packet of a connection in each manipulation: a nat rule gives a Range
//   (or there is none: a null binding keeps the address and frees the tuple of clashes);
//   unique_tuple picks an address and port so that the reply tuple is nobody's. The connection's
//   reply tuple is altered, and SRC_NAT/DST_NAT and their DONE bits are set. apply() rewrites
//   packets of bound connections: in PREROUTING and OUTPUT the destination, in INPUT and
//   POSTROUTING the source, the reverse for replies; errors also inside their quotation. A
//   connection that was given another source stays in the by-source index, so that its host keeps
//   the mapping towards other destinations.
// kernel: nf_nat_core.c (nf_nat_setup_info, get_unique_tuple, nf_nat_packet, nf_nat_inet_fn),
// nf_nat_proto.c, nf_nat_masquerade.c, nf_nat_redirect.c
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/random.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/nat/range.hpp"
#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"

namespace nsr::nat {

class Nat {
  public:
    Nat(conntrack::Conntrack& conntrack, RandomSource& random);
    ~Nat();

    // Has this manipulation been decided for the packet's connection? kernel: nf_nat_initialized
    [[nodiscard]] bool bound(const Packet& packet, Manip manip) const;
    // Decides it. `range` nothing: null binding. `rule` is remembered in the record. Only for
    // unconfirmed connections.
    Verdict bind(Packet& packet, Manip manip, const std::optional<Range>& range, RuleId rule,
                 Instant now);
    // Rewrites the packet as its connection demands at this hook. kernel: nf_nat_packet,
    // nf_nat_icmp_reply_translation
    Verdict apply(Packet& packet, Hook hook);

    // An interface lost an address: connections masqueraded behind it die. kernel: masq_inet_event
    void address_removed(const IpAddress& address, IfIndex interface, Instant now);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::nat
