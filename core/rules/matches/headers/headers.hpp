// Matches that look at the bytes of a packet: one declaration here, one row in ../matches.cpp, one
// file.
#pragma once

#include "core/rules/module.hpp"

namespace nsr::rules {

extern const MatchModule kAhMatch;
extern const MatchModule kEspMatch;
extern const MatchModule kFragMatch;
extern const MatchModule kIpv6headerMatch;
extern const MatchModule kIcmpMatch;
extern const MatchModule kIcmp6Match;
extern const MatchModule kTtlMatch;
extern const MatchModule kHlMatch;
extern const MatchModule kTosMatch;
extern const MatchModule kDscpMatch;
extern const MatchModule kEcnMatch;
extern const MatchModule kPkttypeMatch;
extern const MatchModule kMultiportMatch;
extern const MatchModule kIprangeMatch;
extern const MatchModule kLengthMatch;
extern const MatchModule kStringMatch;
extern const MatchModule kU32Match;
extern const MatchModule kTcpmssMatch;
extern const MatchModule kTcpMatch;
extern const MatchModule kUdpMatch;
extern const MatchModule kUdpliteMatch;
extern const MatchModule kDccpMatch;
extern const MatchModule kSctpMatch;
extern const MatchModule kIpcompMatch;
extern const MatchModule kRtMatch;
extern const MatchModule kHbhMatch;
extern const MatchModule kDstMatch;
extern const MatchModule kMhMatch;
extern const MatchModule kSrhMatch;
extern const MatchModule kBpfMatch;

}  // namespace nsr::rules
