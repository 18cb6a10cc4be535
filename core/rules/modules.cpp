#include "core/rules/modules.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace nsr::rules {

namespace {

// A row per kind of match; the rows themselves stand beside what they describe.
constexpr std::array kMatches = {
    &kConnbytesModule, &kConnlimitModule, &kHelperModule,   &kStateModule,   &kConntrackModule,
    &kHashlimitModule, &kAhModule,        &kEspModule,      &kFragModule,    &kIpv6headerModule,
    &kIcmpModule,      &kIcmp6Module,     &kTtlModule,      &kHlModule,      &kTosModule,
    &kDscpModule,      &kEcnModule,       &kPkttypeModule,  &kLimitModule,   &kStatisticModule,
    &kQuotaModule,     &kMarkModule,      &kConnmarkModule, &kCommentModule, &kMultiportModule,
    &kIprangeModule,   &kLengthModule,    &kStringModule,   &kU32Module,     &kTcpmssModule,
    &kTcpModule,       &kUdpModule,       &kUdpliteModule,  &kDccpModule,    &kRecentModule,
    &kAddrtypeModule,  &kRpfilterModule,  &kMacModule,      &kPhysdevModule, &kSctpModule,
    &kTimeModule,
};

constexpr std::array kTargets = {
    &kCtTarget,       &kNotrackTarget,  &kTtlTarget,    &kHlTarget,     &kTosTarget,
    &kDscpTarget,     &kEcnTarget,      &kLogTarget,    &kNflogTarget,  &kTraceTarget,
    &kMarkTarget,     &kConnmarkTarget, &kSnatTarget,   &kDnatTarget,   &kMasqueradeTarget,
    &kRedirectTarget, &kNetmapTarget,   &kRejectTarget, &kTcpmssTarget, &kTcpoptstripTarget,
};

// Kinds of match and target of iptables that have no row.
constexpr std::string_view kMissing[] = {
    "bpf",     "cgroup",    "cluster", "connlabel", "cpu", "devgroup",    "dst",      "eui64",
    "hbh",     "ipvs",      "mh",      "nfacct",    "osf", "owner",       "policy",   "rateest",
    "realm",   "rt",        "set",     "socket",    "srh", "AUDIT",       "CHECKSUM", "CLASSIFY",
    "HMARK",   "CLUSTERIP", "DNPT",    "IDLETIMER", "LED", "CONNSECMARK", "NFQUEUE",  "RATEEST",
    "SECMARK", "SET",       "SNPT",    "SYNPROXY",  "TEE", "TPROXY",      "ULOG",
};

}  // namespace

bool is_missing_module(std::string_view name) {
    return std::find(std::begin(kMissing), std::end(kMissing), name) != std::end(kMissing);
}

std::span<const MatchModule* const> match_modules() {
    return kMatches;
}

std::span<const TargetModule* const> target_modules() {
    return kTargets;
}

const MatchModule* find_match(std::string_view name) {
    if (name == "icmpv6" || name == "ipv6-icmp") {
        name = "icmp6";
    }
    const auto* found = std::find_if(kMatches.begin(), kMatches.end(),
                                     [&](const auto* row) { return row->name == name; });
    return found == kMatches.end() ? nullptr : *found;
}

const MatchModule* find_protocol_match(std::uint8_t protocol, Family family) {
    const auto fits = [&](const MatchModule* row) {
        const bool allowed = family == Family::Ipv6 ? row->families.ipv6 : row->families.ipv4;
        return protocol != 0 && row->protocol == protocol && allowed;
    };
    const auto* found = std::find_if(kMatches.begin(), kMatches.end(), fits);
    return found == kMatches.end() ? nullptr : *found;
}

const TargetModule* find_target(std::string_view name) {
    const auto* found = std::find_if(kTargets.begin(), kTargets.end(),
                                     [&](const auto* row) { return row->name == name; });
    return found == kTargets.end() ? nullptr : *found;
}

}  // namespace nsr::rules
