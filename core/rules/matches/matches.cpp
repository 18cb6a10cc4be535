#include "core/rules/matches/matches.hpp"

#include <algorithm>
#include <array>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

// A row per kind of match; the rows themselves stand beside what they describe.
constexpr std::array kMatches = {
    &kConnbytesMatch, &kConnlimitMatch, &kHelperMatch,   &kStateMatch,    &kConntrackMatch,
    &kHashlimitMatch, &kAhMatch,        &kEspMatch,      &kFragMatch,     &kIpv6headerMatch,
    &kIcmpMatch,      &kIcmp6Match,     &kTtlMatch,      &kHlMatch,       &kTosMatch,
    &kDscpMatch,      &kEcnMatch,       &kPkttypeMatch,  &kLimitMatch,    &kStatisticMatch,
    &kQuotaMatch,     &kMarkMatch,      &kConnmarkMatch, &kCommentMatch,  &kMultiportMatch,
    &kIprangeMatch,   &kLengthMatch,    &kStringMatch,   &kU32Match,      &kTcpmssMatch,
    &kTcpMatch,       &kUdpMatch,       &kUdpliteMatch,  &kDccpMatch,     &kRecentMatch,
    &kAddrtypeMatch,  &kRpfilterMatch,  &kMacMatch,      &kPhysdevMatch,  &kSctpMatch,
    &kTimeMatch,      &kPolicyMatch,    &kOwnerMatch,    &kCgroupMatch,   &kSocketMatch,
    &kEui64Match,     &kCpuMatch,       &kRealmMatch,    &kDevgroupMatch, &kNfacctMatch,
    &kOsfMatch,       &kIpvsMatch,      &kIpcompMatch,   &kRtMatch,       &kHbhMatch,
    &kDstMatch,       &kMhMatch,        &kSrhMatch,      &kBpfMatch,      &kConnlabelMatch,
    &kClusterMatch,   &kRateestMatch,   &kSetMatch,
};

}  // namespace

std::span<const MatchModule* const> match_modules() {
    return kMatches;
}

const MatchModule* find_match(std::string_view name) {
    if (name == "icmpv6" || name == "ipv6-icmp") {
        name = "icmp6";
    }
    const auto* found = std::find_if(kMatches.begin(), kMatches.end(),
                                     [&](const auto* row) { return row->name == name; });
    return found == kMatches.end() ? nullptr : *found;
}

const MatchModule* find_protocol_match(std::string_view word, Family family) {
    const auto number = parse_number(word, 255);
    const MatchModule* match =
        find_match(number ? protocol_text(static_cast<std::uint8_t>(*number)) : lower(word));
    const bool fits = match != nullptr && match->protocol != 0 && match->families.has(family);
    return fits ? match : nullptr;
}

}  // namespace nsr::rules
