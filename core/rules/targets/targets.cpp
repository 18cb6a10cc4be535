#include "core/rules/targets/targets.hpp"

#include <algorithm>
#include <array>

namespace nsr::rules {

namespace {

// A row per kind of target; the rows themselves stand beside what they describe.
constexpr std::array kTargets = {
    &kCtTarget,       &kNotrackTarget,  &kTtlTarget,     &kHlTarget,        &kTosTarget,
    &kDscpTarget,     &kEcnTarget,      &kLogTarget,     &kNflogTarget,     &kTraceTarget,
    &kMarkTarget,     &kConnmarkTarget, &kSnatTarget,    &kDnatTarget,      &kMasqueradeTarget,
    &kRedirectTarget, &kNetmapTarget,   &kRejectTarget,  &kTcpmssTarget,    &kTcpoptstripTarget,
    &kClassifyTarget, &kAuditTarget,    &kLedTarget,     &kIdletimerTarget, &kConnsecmarkTarget,
    &kSecmarkTarget,  &kChecksumTarget, &kNfqueueTarget, &kQueueTarget,     &kTproxyTarget,
    &kHmarkTarget,    &kSnptTarget,     &kDnptTarget,    &kTeeTarget,       &kRateestTarget,
    &kSetTarget,
};

}  // namespace

std::span<const TargetModule* const> target_modules() {
    return kTargets;
}

const TargetModule* find_target(std::string_view name) {
    const auto* found = std::find_if(kTargets.begin(), kTargets.end(),
                                     [&](const auto* row) { return row->name == name; });
    return found == kTargets.end() ? nullptr : *found;
}

}  // namespace nsr::rules
