// -m ipv6header: which extension headers a packet has.
// kernel: ip6t_ipv6header.c
#include <algorithm>
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kIpv6headerOptions =
    std::to_array<OptionSpec>({{"header", 1, true}, {"soft", 0}});

struct HeaderName {
    std::string_view name;
    std::string_view alias;
    std::uint8_t bit;
};
constexpr std::uint8_t kEspBit = 4;
constexpr std::uint8_t kNoneBit = 2;
constexpr std::uint8_t kProtocolBit = 1;
constexpr std::array kHeaderNames = std::to_array<HeaderName>({
    {"hop-by-hop", "hop", 128},
    {"ipv6-opts", "dst", 64},
    {"ipv6-route", "route", 32},
    {"ipv6-frag", "frag", 16},
    {"ah", "auth", 8},
    {"esp", "esp", kEspBit},
    {"ipv6-nonxt", "none", kNoneBit},
    {"protocol", "prot", kProtocolBit},
});

std::uint8_t extension_bit(std::uint8_t type) {
    switch (type) {
        case proto::kEsp:
            return kEspBit;
        case proto::kNoNext:
            return kNoneBit;
        case proto::kHopByHop:
            return 128;
        case proto::kDestinationOptions:
            return 64;
        case proto::kRouting:
            return 32;
        case proto::kFragment:
            return 16;
        default:
            return 8;
    }
}

bool is_header_number(std::uint64_t number) {
    const auto type = static_cast<std::uint8_t>(number);
    return wire::is_extension_header(type) || type == proto::kEsp || type == proto::kNoNext;
}

class Ipv6headerMatch : public Match {
  public:
    Ipv6headerMatch() : Match("ipv6header") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    std::uint8_t wanted = 0;
    bool soft = false;
    bool invert = false;
};

std::string Ipv6headerMatch::save() const {
    std::string list;
    for (const HeaderName& row : kHeaderNames) {
        if ((wanted & row.bit) != 0) {
            list += (list.empty() ? "" : ",") + std::string(row.name);
        }
    }
    return std::string(bang(invert)) + "--header " + list + (soft ? " --soft" : "");
}

// kernel: ipv6header_mt6
MatchResult Ipv6headerMatch::test(ActionParam& par) const {
    wire::ExtensionWalk walk(par.packet.bytes());
    std::uint8_t seen = 0;
    while (const auto header = walk.next()) {
        seen |= extension_bit(header->type);
    }
    const std::uint8_t type = walk.type();
    if (wire::is_extension_header(type)) {
        return MatchResult::No;
    }
    if (type == proto::kEsp) {
        seen |= kEspBit;
    } else {
        seen |= type == proto::kNoNext ? kNoneBit : kProtocolBit;
    }
    if (soft) {
        const std::uint8_t inversion = invert ? 0xff : 0;
        return yes_if(((seen ^ wanted ^ inversion) & wanted) == 0);
    }
    return yes_if((seen == wanted) != invert);
}

std::shared_ptr<const Match> parse_ipv6header(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("header");
    if (given == nullptr) {
        context.error("match \"ipv6header\" needs --header");
        return nullptr;
    }
    auto match = std::make_shared<Ipv6headerMatch>();
    match->soft = options.has("soft");
    match->invert = given->inverted;
    for (const std::string_view word : split(given->value, ',')) {
        const std::string name = lower(word);
        const auto* row = std::find_if(
            kHeaderNames.begin(), kHeaderNames.end(),
            [&](const HeaderName& header) { return header.name == name || header.alias == name; });
        const auto number = row == kHeaderNames.end() ? parse_number(word, 255) : std::nullopt;
        if (row == kHeaderNames.end() && !(number && is_header_number(*number))) {
            context.error(*given, "unknown IPv6 header " + in_quotes(word) +
                                      "; known are hop, dst, route, frag, auth, esp, none, prot");
            return nullptr;
        }
        match->wanted |= row != kHeaderNames.end()
                             ? row->bit
                             : extension_bit(static_cast<std::uint8_t>(*number));
    }
    return match;
}

}  // namespace

const MatchModule kIpv6headerMatch = {"ipv6header", kIpv6Only, kIpv6headerOptions,
                                      parse_ipv6header};

}  // namespace nsr::rules
