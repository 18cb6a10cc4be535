// Every kind of target there is beside verdicts and jumps: one declaration here, one row in
// targets.cpp, one file.
#pragma once

#include <span>
#include <string_view>

#include "core/rules/module.hpp"

namespace nsr::rules {

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
extern const TargetModule kClassifyTarget;
extern const TargetModule kAuditTarget;
extern const TargetModule kLedTarget;
extern const TargetModule kIdletimerTarget;
extern const TargetModule kConnsecmarkTarget;
extern const TargetModule kSecmarkTarget;
extern const TargetModule kChecksumTarget;
extern const TargetModule kNfqueueTarget;
extern const TargetModule kQueueTarget;
extern const TargetModule kTproxyTarget;
extern const TargetModule kHmarkTarget;
extern const TargetModule kSnptTarget;
extern const TargetModule kDnptTarget;
extern const TargetModule kTeeTarget;
extern const TargetModule kRateestTarget;
extern const TargetModule kSetTarget;

std::span<const TargetModule* const> target_modules();
const TargetModule* find_target(std::string_view name);

}  // namespace nsr::rules
