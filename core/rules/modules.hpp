// Every kind of match and target there is: one declaration here, one row in modules.cpp, one file.
#pragma once

#include <span>
#include <string_view>

#include "core/rules/options.hpp"

namespace nsr::rules {

extern const MatchModule kStateModule;
extern const MatchModule kConntrackModule;
extern const MatchModule kIcmpModule;
extern const MatchModule kIcmp6Module;
extern const MatchModule kMarkModule;
extern const MatchModule kConnmarkModule;
extern const MatchModule kCommentModule;
extern const MatchModule kTcpModule;
extern const MatchModule kUdpModule;
extern const MatchModule kUdpliteModule;
extern const MatchModule kDccpModule;

extern const TargetModule kCtTarget;
extern const TargetModule kNotrackTarget;
extern const TargetModule kMarkTarget;
extern const TargetModule kConnmarkTarget;
extern const TargetModule kSnatTarget;
extern const TargetModule kDnatTarget;
extern const TargetModule kMasqueradeTarget;
extern const TargetModule kRedirectTarget;
extern const TargetModule kNetmapTarget;
extern const TargetModule kRejectTarget;

std::span<const MatchModule* const> match_modules();
std::span<const TargetModule* const> target_modules();

const MatchModule* find_match(std::string_view name);
const MatchModule* find_protocol_match(std::uint8_t protocol, Family family);
const TargetModule* find_target(std::string_view name);

}  // namespace nsr::rules
