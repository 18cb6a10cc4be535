// Every kind of match there is: one declaration here or in the list of its room, one row in
// matches.cpp, one file.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/module.hpp"

namespace nsr::rules {

extern const MatchModule kConnbytesMatch;
extern const MatchModule kHelperMatch;
extern const MatchModule kStateMatch;
extern const MatchModule kConntrackMatch;
extern const MatchModule kMarkMatch;
extern const MatchModule kConnmarkMatch;
extern const MatchModule kCommentMatch;
extern const MatchModule kAddrtypeMatch;
extern const MatchModule kRpfilterMatch;
extern const MatchModule kMacMatch;
extern const MatchModule kPhysdevMatch;
extern const MatchModule kTimeMatch;
extern const MatchModule kPolicyMatch;
extern const MatchModule kOwnerMatch;
extern const MatchModule kCgroupMatch;
extern const MatchModule kSocketMatch;
extern const MatchModule kEui64Match;
extern const MatchModule kCpuMatch;
extern const MatchModule kRealmMatch;
extern const MatchModule kDevgroupMatch;
extern const MatchModule kNfacctMatch;
extern const MatchModule kOsfMatch;
extern const MatchModule kIpvsMatch;
extern const MatchModule kConnlabelMatch;
extern const MatchModule kClusterMatch;
extern const MatchModule kSetMatch;

std::span<const MatchModule* const> match_modules();
const MatchModule* find_match(std::string_view name);
// The match whose options `-p WORD` brings along: the one of that name, of a number's first name
// else, so that `-p mh` does and `-p ipv6-mh` does not. libxtables: find_proto
const MatchModule* find_protocol_match(std::string_view word, Family family);

// What -m icmp and icmp6 call "8" or "3/4", a type with or without its code; empty: it has no name.
std::string_view icmp_type_name(Family family, std::string_view text);

}  // namespace nsr::rules
