// -m multiport: up to fifteen ports.
// kernel: xt_multiport.c
#include <algorithm>
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kMultiportOptions = std::to_array<OptionSpec>({
    {"source-ports", 1, true},
    {"sports", 1, true, "source-ports"},
    {"destination-ports", 1, true},
    {"dports", 1, true, "destination-ports"},
    {"ports", 1, true},
});
constexpr std::size_t kMaxPorts = 15;  // a range counts twice. kernel: XT_MULTI_PORTS

class MultiportMatch : public Match {
  public:
    enum class Side : std::uint8_t { Source, Destination, Either };

    MultiportMatch() : Match("multiport") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;
    Wanted wanted() const override {
        return {.ports = invert ? nullptr : &ranges,
                .source_port = side != Side::Destination,
                .destination_port = side != Side::Source};
    }

    Side side = Side::Source;
    bool invert = false;
    std::vector<PortRange> ranges;

  private:
    bool contains(std::uint16_t port) const {
        return std::any_of(ranges.begin(), ranges.end(),
                           [&](const PortRange& range) { return range.contains(port); });
    }
};

std::string MultiportMatch::save() const {
    constexpr std::array<std::string_view, 3> kNames = {"--sports ", "--dports ", "--ports "};
    std::string list;
    for (const PortRange& range : ranges) {
        list += (list.empty() ? "" : ",") + to_string(range);
    }
    return std::string(bang(invert)) + std::string(kNames[static_cast<std::size_t>(side)]) + list;
}

MatchResult MultiportMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    if (!packet.layout.has_l4_header()) {
        return MatchResult::No;
    }
    const auto l4 = packet.l4();
    if (l4.size() < 4) {
        return MatchResult::HotDrop;
    }
    const bool source = side != Side::Destination && contains(wire::load16(l4.data()));
    const bool destination = side != Side::Source && contains(wire::load16(l4.data() + 2));
    return yes_if((source || destination) != invert);
}

// A port, or a range of them whose ends both are given and are not the same.
std::optional<PortRange> parse_part(std::string_view text, std::uint8_t protocol) {
    const std::size_t colon = text.find(':');
    const auto low = parse_port(text.substr(0, colon), protocol);
    if (colon == std::string_view::npos) {
        return low ? std::optional(PortRange{*low, *low}) : std::nullopt;
    }
    const auto high = parse_port(text.substr(colon + 1), protocol);
    return low && high && *low < *high ? std::optional(PortRange{*low, *high}) : std::nullopt;
}

bool has_ports(const RuleContext& context) {
    return !context.protocol_inverted && proto::has_ports(context.protocol);
}

std::shared_ptr<const Match> parse_multiport(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        context.error("match \"multiport\" needs exactly one of --sports, --dports and --ports");
        return nullptr;
    }
    const GivenOption& given = options.given[0];
    if (!has_ports(context)) {
        context.error(given,
                      "match \"multiport\" needs \"-p tcp\", \"-p udp\", \"-p udplite\","
                      " \"-p sctp\" or \"-p dccp\" in the same rule");
        return nullptr;
    }
    auto match = std::make_shared<MultiportMatch>();
    if (given.name != "ports") {
        match->side = given.name == "source-ports" ? MultiportMatch::Side::Source
                                                   : MultiportMatch::Side::Destination;
    } else {
        match->side = MultiportMatch::Side::Either;
    }
    match->invert = given.inverted;
    std::size_t slots = 0;
    for (const std::string_view part : split(given.value, ',')) {
        const auto range = parse_part(part, context.protocol);
        if (!range) {
            context.error(given, in_quotes(part) + " is not a port or a range of ports");
            return nullptr;
        }
        slots += part.find(':') == std::string_view::npos ? 1 : 2;
        match->ranges.push_back(*range);
    }
    if (slots > kMaxPorts) {
        context.error(given, "multiport takes at most 15 ports, and a range counts as two");
        return nullptr;
    }
    return match;
}

}  // namespace

const MatchModule kMultiportMatch = {"multiport", kBothFamilies, kMultiportOptions,
                                     parse_multiport};

}  // namespace nsr::rules
