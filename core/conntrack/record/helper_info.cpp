#include "core/conntrack/record/helper_info.hpp"

#include <algorithm>

#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

namespace {

constexpr std::array<ExpectPolicy, kExpectClasses> kSipClasses = {{
    {"signalling", 1, 180},
    {"audio", 4, 180},
    {"video", 4, 180},
    {"image", 2, 180},
}};

// One expectation of a connection at a time, for five minutes, unless it says otherwise.
constexpr std::array kHelpers = std::to_array<HelperInfo>({
    {HelperId::Amanda, "amanda", proto::kUdp, true, 10080, {{{"", 4, 180}}}},
    {HelperId::Ftp, "ftp", proto::kTcp, true, 21},
    {HelperId::Irc, "irc", proto::kTcp, false, 6667, {{{"", 8, 300}}}},
    {HelperId::Pptp, "pptp", proto::kTcp, false, 1723, {{{"", 2, 300}}}},
    {HelperId::Sane, "sane", proto::kTcp, true, 6566},
    {HelperId::SipTcp, "sip", proto::kTcp, true, 5060, kSipClasses},
    {HelperId::SipUdp, "sip", proto::kUdp, true, 5060, kSipClasses},
    {HelperId::Tftp, "tftp", proto::kUdp, true, 69},
});

}  // namespace

std::span<const HelperInfo> helpers() {
    return kHelpers;
}

const HelperInfo& helper_info(HelperId id) {
    return *std::find_if(kHelpers.begin(), kHelpers.end() - 1,
                         [id](const HelperInfo& helper) { return helper.id == id; });
}

std::optional<HelperId> find_helper(std::string_view name, std::uint8_t protocol, Family family) {
    for (const HelperInfo& helper : kHelpers) {
        if (helper.name == name && helper.protocol == protocol &&
            (helper.ipv6 || family == Family::Ipv4)) {
            return helper.id;
        }
    }
    return std::nullopt;
}

bool is_helper_name(std::string_view name) {
    return std::any_of(kHelpers.begin(), kHelpers.end(),
                       [name](const HelperInfo& helper) { return helper.name == name; });
}

}  // namespace nsr::conntrack
