// Puts a translation into a packet. kernel: nf_nat_manip_pkt and the *_manip_pkt of each protocol
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/conntrack/record/tuple.hpp"
#include "core/nat/range.hpp"
#include "core/packet/packet.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::nat {

// What one end of a packet becomes.
struct Endpoint {
    IpAddress address;
    std::uint16_t key = 0;  // port, ICMP id or GRE key; meaningless for other protocols
};

// What a packet must look like at the end that `manip` changes: the inverse of its connection's
// `opposite` tuple, that of the other direction. The packet quoted in an error changes at its other
// end, to the same.
Endpoint endpoint_for(const conntrack::Tuple& opposite, Manip manip);

// False: the packet cannot be translated (is_translatable). Precondition: it is of a tracked
// protocol and dissected.
[[nodiscard]] bool translate(Packet& packet, Manip manip, const Endpoint& endpoint);

// Is enough of the transport header there, and is it one that NAT understands? kernel:
// skb_ensure_writable in *_manip_pkt, gre_manip_pkt
bool is_translatable(wire::ConstBytes l4, std::uint8_t protocol, Manip manip);
// How much of the transport header, `length` bytes with what follows, must lie in one piece to be
// changed. Precondition: is_translatable.
std::size_t writable_header(std::size_t length, std::uint8_t protocol);
// Does this message carry an id that NAT owns?
bool has_icmp_id(std::uint8_t protocol, std::uint8_t type);

}  // namespace nsr::nat
