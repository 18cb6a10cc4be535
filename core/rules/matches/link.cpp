// -m mac, physdev, eui64: what the link says about a packet. TUN devices have no link layer and
// belong to no bridge.
// kernel: xt_mac.c, xt_physdev.c, ip6t_eui64.c
#include <array>

#include "core/rules/matches/constant.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/recite.hpp"

namespace nsr::rules {

namespace {

constexpr std::uint8_t kIncoming = bit(Hook::Prerouting) | bit(Hook::Input) | bit(Hook::Forward);
constexpr std::uint8_t kAllButOutput = kAllHooks ^ bit(Hook::Output);

constexpr std::array kMacOptions = std::to_array<OptionSpec>({{"mac-source", 1, true}});
// In the order in which iptables-save writes them.
constexpr std::array kPhysdevOptions = std::to_array<OptionSpec>({{"physdev-is-in", 0, true},
                                                                  {"physdev-in", 1, true},
                                                                  {"physdev-is-out", 0, true},
                                                                  {"physdev-out", 1, true},
                                                                  {"physdev-is-bridged", 0, true}});
constexpr std::size_t kMaxInterfaceName = 15;  // kernel: IFNAMSIZ, without its end

// Six groups of one or two hexadecimal digits, shown with two each.
std::optional<std::string> link_address(std::string_view value, Family) {
    std::string text;
    std::size_t groups = 0;
    for (const std::string_view group : split(value, ':')) {
        const bool digits =
            !group.empty() && group.size() <= 2 &&
            group.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
        if (!digits || ++groups > 6) {
            return std::nullopt;
        }
        text += (groups == 1 ? "" : ":") + std::string(group.size() == 1 ? "0" : "") + lower(group);
    }
    return groups == 6 ? std::optional(text) : std::nullopt;
}

std::optional<std::string> device(std::string_view value, Family) {
    return value.size() > kMaxInterfaceName ? std::nullopt
                                            : std::optional(form::plain_or_quoted(value));
}

constexpr std::array kMacForms = std::to_array<OptionForm>(
    {{"mac-source", link_address, "an address such as 02:00:00:00:00:01"}});
constexpr std::string_view kDevice = "an interface name of at most 15 characters";
constexpr std::array kPhysdevForms = std::to_array<OptionForm>({{"physdev-is-in"},
                                                                {"physdev-in", device, kDevice},
                                                                {"physdev-is-out"},
                                                                {"physdev-out", device, kDevice},
                                                                {"physdev-is-bridged"}});

// kernel: mac_mt wants an Ethernet header, whether negated or not
std::shared_ptr<const Match> parse_mac(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kMacForms);
    if (!text || !has_one_of(options, context, {"mac-source"})) {
        return nullptr;
    }
    return std::make_shared<ConstantMatch>(options.module, *text, false, kIncoming);
}

// kernel: physdev_mt without a bridge; physdev_mt_check
std::shared_ptr<const Match> parse_physdev(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kPhysdevForms);
    if (!text || !has_one_of(options, context,
                             {"physdev-in", "physdev-out", "physdev-is-in", "physdev-is-out",
                              "physdev-is-bridged"})) {
        return nullptr;
    }
    const GivenOption* bridged = options.find("physdev-is-bridged");
    const bool about_the_way_out = options.has("physdev-out") || options.has("physdev-is-out");
    const bool not_in_output = about_the_way_out && (bridged == nullptr || bridged->inverted);
    return std::make_shared<ConstantMatch>(options.module, *text, all_inverted(options),
                                           not_in_output ? kAllButOutput : kAllHooks);
}

std::shared_ptr<const Match> parse_eui64(const Options& options, RuleContext&) {
    return std::make_shared<ConstantMatch>(options.module, "", false, kIncoming);
}

}  // namespace

const MatchModule kMacMatch = {"mac", kBothFamilies, kMacOptions, parse_mac};
const MatchModule kPhysdevMatch = {"physdev", kBothFamilies, kPhysdevOptions, parse_physdev};
const MatchModule kEui64Match = {"eui64", kIpv6Only, {}, parse_eui64};

}  // namespace nsr::rules
