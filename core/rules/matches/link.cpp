// -m mac, physdev: what the link says about a packet, which is nothing on TUN devices.
// kernel: xt_mac.c, xt_physdev.c
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kMacOptions = std::to_array<OptionSpec>({{"mac-source", 1, true}});
constexpr std::array kPhysdevOptions = std::to_array<OptionSpec>({{"physdev-in", 1, true},
                                                                  {"physdev-out", 1, true},
                                                                  {"physdev-is-in", 0, true},
                                                                  {"physdev-is-out", 0, true},
                                                                  {"physdev-is-bridged", 0, true}});

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

std::shared_ptr<const Match> parse_link(const Options& options, RuleContext& context) {
    std::string text;
    for (const GivenOption& given : options.given) {
        append(text, std::string(bang(given.inverted)) + "--" + std::string(given.name));
        if (!given.value.empty()) {
            append(text, given.value);
        }
    }
    if (text.empty()) {
        context.error("match " + in_quotes(options.module) + " needs an option");
        return nullptr;
    }
    return std::make_shared<LinkMatch>(options.module, text);
}

}  // namespace

const MatchModule kMacMatch = {"mac", kBothFamilies, kMacOptions, parse_link};
const MatchModule kPhysdevMatch = {"physdev", kBothFamilies, kPhysdevOptions, parse_link};

}  // namespace nsr::rules
