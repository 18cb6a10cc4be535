// From bytes to Layout: the only parser of IP headers that forwarded packets meet.
//
// IPv4: kernel ip_rcv_core (version, header length, checksum, total length; a longer frame is
// trimmed to the IP length) and
// __ip_options_compile for options. IPv6: kernel ip6_rcv_core, and ipv6_skip_exthdr to find the
// transport header (hop-by-hop, routing, destination options, fragment, AH; a fragment with offset
// > 0 stops the walk).
#pragma once

#include "core/base/verdict.hpp"
#include "core/packet/packet.hpp"

namespace nsr {

// Validates the IP header, trims bytes() to the IP length and fills packet.layout. Says
// drop(reason) for what ip_rcv would discard; the transport header is not looked at. If the
// sender of a dropped packet is to be told, layout.problem_pointer is not 0.
Verdict dissect(Packet& packet);

// Layout of an IP header quoted in an ICMP error: lengths are not required to fit, the checksum and
// (if `family` is given) the version are not looked at (kernel: icmp_error_message,
// nf_ct_get_tuplepr). `bytes` begins at the quoted IP header; total_length is what is there of it,
// not what it says. False if there is not even a header.
bool dissect_quoted(std::span<const std::uint8_t> bytes, Layout& layout,
                    Family family = Family::None);

}  // namespace nsr
