// SIP over UDP and TCP.
//
// Theory of operation
//   text.hpp finds where things stand in a message, message.hpp changes them. sip.cpp follows the
//   methods: a REGISTER expects calls at its contact (a permanent expectation, inactive until the
//   registrar has agreed), an INVITE and what belongs to it expect the media of their session
//   descriptions (media.cpp), and what ends a call forgets them. Behind NAT headers.cpp writes the
//   addresses of the other side into Via, Contact, From, To and the request itself.
#pragma once

#include "core/conntrack/conntrack.hpp"
#include "core/helpers/call/call.hpp"
#include "core/nat/nat.hpp"

namespace nsr::helpers {

Verdict help_sip_udp(Call& call);
Verdict help_sip_tcp(Call& call);

// An unconfirmed connection was expected by a registration or a call. kernel: nf_nat_sip_expected
void follow_sip(conntrack::Conntrack& conntrack, nat::Nat& nat, ConnId id,
                const conntrack::Expectation& expectation, Instant now);

}  // namespace nsr::helpers
