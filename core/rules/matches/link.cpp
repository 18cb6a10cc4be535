// -m mac, physdev: what the link says about a packet, which is nothing on TUN devices.
// kernel: xt_mac.c, xt_physdev.c
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kMacOptions = std::to_array<OptionSpec>({{"mac-source", 1, true}});
// In the order in which iptables-save writes them.
constexpr std::array kPhysdevOptions = std::to_array<OptionSpec>({{"physdev-is-in", 0, true},
                                                                  {"physdev-in", 1, true},
                                                                  {"physdev-is-out", 0, true},
                                                                  {"physdev-out", 1, true},
                                                                  {"physdev-is-bridged", 0, true}});
constexpr std::size_t kMaxInterfaceName = 15;  // kernel: IFNAMSIZ, without its end

// mac and physdev: TUN devices have no link layer and no bridge, so that these never match, as in
// the kernel. kernel: mac_mt wants an Ethernet header, physdev_mt a bridge
class LinkMatch : public Match {
  public:
    LinkMatch(std::string_view module, std::string text) : Match(module), text_(std::move(text)) {}
    std::string save() const override { return text_; }
    MatchResult test(ActionParam&) const override { return MatchResult::No; }

  private:
    std::string text_;
};

// "0:1:2:A:B:C" as "00:01:02:0a:0b:0c"
std::optional<std::string> canonical_mac(std::string_view text) {
    constexpr std::size_t kBytes = 6;
    const auto parts = split(text, ':');
    std::string mac;
    for (const std::string_view part : parts) {
        const auto byte = parse_number("0x" + std::string(part), 0xff);
        if (!byte || parts.size() != kBytes) {
            return std::nullopt;
        }
        mac += (mac.empty() ? "" : ":") + hex2(static_cast<std::uint8_t>(*byte)).substr(2);
    }
    return mac;
}

std::shared_ptr<const Match> parse_mac(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("mac-source");
    if (given == nullptr) {
        context.error("match \"mac\" needs --mac-source");
        return nullptr;
    }
    const auto mac = canonical_mac(given->value);
    if (!mac) {
        context.error(*given, in_quotes(given->value) +
                                  " is not an Ethernet address such as 02:00:5e:10:00:01");
        return nullptr;
    }
    return std::make_shared<LinkMatch>("mac",
                                       std::string(bang(given->inverted)) + "--mac-source " + *mac);
}

std::shared_ptr<const Match> parse_physdev(const Options& options, RuleContext& context) {
    std::string text;
    for (const OptionSpec& option : kPhysdevOptions) {
        const GivenOption* given = options.find(option.name);
        if (given == nullptr) {
            continue;
        }
        append(text, std::string(bang(given->inverted)) + "--" + std::string(option.name));
        if (option.values != 0) {
            append(text, whole_word(given->value));
        }
        if (given->value.size() > kMaxInterfaceName) {
            context.error(*given, "interface name " + in_quotes(given->value) +
                                      " must have at most 15 characters");
            return nullptr;
        }
    }
    if (text.empty()) {
        context.error("match \"physdev\" needs an option");
        return nullptr;
    }
    return std::make_shared<LinkMatch>("physdev", text);
}

}  // namespace

const MatchModule kMacMatch = {"mac", kBothFamilies, kMacOptions, parse_mac};
const MatchModule kPhysdevMatch = {"physdev", kBothFamilies, kPhysdevOptions, parse_physdev};

}  // namespace nsr::rules
