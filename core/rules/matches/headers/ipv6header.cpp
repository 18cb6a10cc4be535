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
    std::string_view name;  // as it is saved
    std::uint8_t bit;
    std::array<std::string_view, 6> others;
};
constexpr std::uint8_t kEspBit = 4;
constexpr std::uint8_t kNoneBit = 2;
constexpr std::uint8_t kProtocolBit = 1;
// The tool's names and numbers, and those of /etc/protocols of Debian, letter by letter.
constexpr std::array kHeaderNames = std::to_array<HeaderName>({
    {"hop-by-hop", 128, {"hop", "0", "ip", "IP", "hopopt", "HOPOPT"}},
    {"ipv6-opts", 64, {"dst", "60", "IPv6-Opts"}},
    {"ipv6-route", 32, {"route", "43", "IPv6-Route"}},
    {"ipv6-frag", 16, {"frag", "44", "IPv6-Frag"}},
    {"ah", 8, {"auth", "51", "IPSEC-AH"}},
    {"esp", kEspBit, {"50", "IPSEC-ESP"}},
    {"ipv6-nonxt", kNoneBit, {"none", "59", "IPv6-NoNxt"}},
    {"protocol", kProtocolBit, {"prot", "255"}},
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

// 0: it is the name of none.
std::uint8_t bit_of(std::string_view word) {
    const auto* row =
        std::find_if(kHeaderNames.begin(), kHeaderNames.end(), [&](const HeaderName& header) {
            const auto& others = header.others;
            return header.name == word ||
                   std::find(others.begin(), others.end(), word) != others.end();
        });
    return row == kHeaderNames.end() ? std::uint8_t{0} : row->bit;
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
    for (const std::string_view word : tokens(given->value)) {
        const std::uint8_t bit = bit_of(word);
        if (bit == 0) {
            context.error(*given, "unknown IPv6 header " + in_quotes(word) +
                                      "; known are hop, dst, route, frag, auth, esp, none, prot");
            return nullptr;
        }
        match->wanted |= bit;
    }
    if (match->wanted == 0) {
        context.error(*given, "--header needs a list of headers, such as hop,dst");
        return nullptr;
    }
    return match;
}

}  // namespace

const MatchModule kIpv6headerMatch = {"ipv6header", kIpv6Only, kIpv6headerOptions,
                                      parse_ipv6header};

}  // namespace nsr::rules
