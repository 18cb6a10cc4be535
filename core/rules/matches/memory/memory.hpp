// Matches that remember what they have seen: one declaration here, one row in ../matches.cpp, one
// file. What they remember is a MatchState, which belongs to the program.
#pragma once

#include "core/rules/module.hpp"

namespace nsr::rules {

extern const MatchModule kConnlimitMatch;
extern const MatchModule kHashlimitMatch;
extern const MatchModule kLimitMatch;
extern const MatchModule kStatisticMatch;
extern const MatchModule kQuotaMatch;
extern const MatchModule kRecentMatch;
extern const MatchModule kRateestMatch;

}  // namespace nsr::rules
