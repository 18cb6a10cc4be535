// Every kind of match and target there is: one declaration here, one row in modules.cpp, one file.
#pragma once

#include <span>
#include <string_view>

#include "core/rules/language/options.hpp"

namespace nsr::rules {

extern const MatchModule kConnbytesModule;
extern const MatchModule kConnlimitModule;
extern const MatchModule kHelperModule;
extern const MatchModule kStateModule;
extern const MatchModule kConntrackModule;
extern const MatchModule kHashlimitModule;
extern const MatchModule kAhModule;
extern const MatchModule kEspModule;
extern const MatchModule kFragModule;
extern const MatchModule kIpv6headerModule;
extern const MatchModule kIcmpModule;
extern const MatchModule kIcmp6Module;
extern const MatchModule kTtlModule;
extern const MatchModule kHlModule;
extern const MatchModule kTosModule;
extern const MatchModule kDscpModule;
extern const MatchModule kEcnModule;
extern const MatchModule kPkttypeModule;
extern const MatchModule kLimitModule;
extern const MatchModule kStatisticModule;
extern const MatchModule kQuotaModule;
extern const MatchModule kMarkModule;
extern const MatchModule kConnmarkModule;
extern const MatchModule kCommentModule;
extern const MatchModule kMultiportModule;
extern const MatchModule kIprangeModule;
extern const MatchModule kLengthModule;
extern const MatchModule kStringModule;
extern const MatchModule kU32Module;
extern const MatchModule kTcpmssModule;
extern const MatchModule kTcpModule;
extern const MatchModule kUdpModule;
extern const MatchModule kUdpliteModule;
extern const MatchModule kDccpModule;
extern const MatchModule kRecentModule;
extern const MatchModule kAddrtypeModule;
extern const MatchModule kRpfilterModule;
extern const MatchModule kMacModule;
extern const MatchModule kPhysdevModule;
extern const MatchModule kSctpModule;
extern const MatchModule kTimeModule;

extern const TargetModule kCtTarget;
extern const TargetModule kNotrackTarget;
extern const TargetModule kTtlTarget;
extern const TargetModule kHlTarget;
extern const TargetModule kTosTarget;
extern const TargetModule kDscpTarget;
extern const TargetModule kEcnTarget;
extern const TargetModule kLogTarget;
extern const TargetModule kNflogTarget;
extern const TargetModule kTraceTarget;
extern const TargetModule kMarkTarget;
extern const TargetModule kConnmarkTarget;
extern const TargetModule kSnatTarget;
extern const TargetModule kDnatTarget;
extern const TargetModule kMasqueradeTarget;
extern const TargetModule kRedirectTarget;
extern const TargetModule kNetmapTarget;
extern const TargetModule kRejectTarget;
extern const TargetModule kTcpmssTarget;
extern const TargetModule kTcpoptstripTarget;

std::span<const MatchModule* const> match_modules();
std::span<const TargetModule* const> target_modules();

// Whether iptables knows a match or target of this name, and we do not.
bool is_missing_module(std::string_view name);
const MatchModule* find_match(std::string_view name);
const MatchModule* find_protocol_match(std::uint8_t protocol, Family family);
const TargetModule* find_target(std::string_view name);

}  // namespace nsr::rules
