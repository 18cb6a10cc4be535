// What PPTP needs beside help_pptp(): the beginning and the end of its GRE connections.
#pragma once

#include "core/conntrack/conntrack.hpp"
#include "core/nat/nat.hpp"

namespace nsr::helpers {

// An unconfirmed GRE connection was expected by the control connection. kernel: pptp_expectfn,
// pptp_nat_expected
void follow_pptp(conntrack::Conntrack& conntrack, nat::Nat& nat, ConnId id,
                 const conntrack::Expectation& expectation, Instant now);

// The control connection, or its call, is over. kernel: pptp_destroy_siblings
void end_pptp_calls(conntrack::Conntrack& conntrack, ConnId master);

}  // namespace nsr::helpers
