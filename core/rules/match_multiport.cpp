// -m multiport, iprange and length: several values at once.
// kernel: xt_multiport.c, xt_iprange.c, xt_length.c
#include <algorithm>
#include <array>

#include "core/rules/modules.hpp"
#include "core/rules/text.hpp"
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
    MatchResult test(Subject& subject, MatchState* state) const override;

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

MatchResult MultiportMatch::test(Subject& subject, MatchState*) const {
    const Packet& packet = subject.packet;
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
    match->side = given.name == "source-ports"        ? MultiportMatch::Side::Source
                  : given.name == "destination-ports" ? MultiportMatch::Side::Destination
                                                      : MultiportMatch::Side::Either;
    match->invert = given.inverted;
    std::size_t slots = 0;
    for (const std::string_view part : split(given.value, ',')) {
        const auto range = parse_port_range(part);
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

constexpr std::array kIprangeOptions =
    std::to_array<OptionSpec>({{"src-range", 1, true}, {"dst-range", 1, true}});

struct AddressRange {
    IpAddress low;
    IpAddress high;
    bool invert = false;
    bool given = false;
    [[nodiscard]] bool passes(const IpAddress& address) const {
        return !given || (low <= address && address <= high) != invert;
    }
};

class IprangeMatch : public Match {
  public:
    IprangeMatch() : Match("iprange") {}
    std::string save() const override {
        std::string text;
        append_range("--src-range ", source, text);
        append_range("--dst-range ", destination, text);
        return text;
    }
    MatchResult test(Subject& subject, MatchState*) const override {
        const Layout& layout = subject.packet.layout;
        return yes_if(source.passes(layout.source) && destination.passes(layout.destination));
    }

    AddressRange source;
    AddressRange destination;

  private:
    static void append_range(std::string_view option, const AddressRange& range,
                             std::string& text) {
        if (range.given) {
            append(text, std::string(bang(range.invert)) + std::string(option) +
                             nsr::to_string(range.low) + "-" + nsr::to_string(range.high));
        }
    }
};

bool read_address_range(const Options& options, const RuleContext& context, std::string_view name,
                        AddressRange& range) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    const std::string_view text = given->value;
    const std::size_t dash = text.find('-');
    const auto low = parse_address(text.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : parse_address(text.substr(dash + 1));
    if (!low || !high || low->family != context.family || high->family != context.family ||
        *high < *low) {
        context.error(*given, in_quotes(text) + " is not a range of " +
                                  (context.v6() ? "IPv6" : "IPv4") + " addresses such as " +
                                  (context.v6() ? "fd00::1-fd00::9" : "10.0.0.1-10.0.0.9"));
        return false;
    }
    range = {*low, *high, given->inverted, true};
    return true;
}

std::shared_ptr<const Match> parse_iprange(const Options& options, RuleContext& context) {
    auto match = std::make_shared<IprangeMatch>();
    if (options.given.empty()) {
        context.error("match \"iprange\" needs --src-range or --dst-range");
        return nullptr;
    }
    const bool ok = read_address_range(options, context, "src-range", match->source) &&
                    read_address_range(options, context, "dst-range", match->destination);
    return ok ? match : nullptr;
}

constexpr std::array kLengthOptions = std::to_array<OptionSpec>({{"length", 1, true}});

class LengthMatch : public Match {
  public:
    LengthMatch(const NumberRange& range, bool invert)
        : Match("length"), range_(range), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--length " + std::to_string(range_.low) +
               (range_.low == range_.high ? "" : ":" + std::to_string(range_.high));
    }
    MatchResult test(Subject& subject, MatchState*) const override {
        const std::uint32_t length = subject.packet.layout.total_length;
        return yes_if((length >= range_.low && length <= range_.high) != invert_);
    }

  private:
    NumberRange range_;
    bool invert_;
};

std::shared_ptr<const Match> parse_length(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("length");
    const auto range = given != nullptr ? parse_range(given->value, 0xffff) : std::nullopt;
    if (!range) {
        context.error(given != nullptr ? *given : GivenOption{},
                      "match \"length\" needs --length with a number of bytes or a range a:b");
        return nullptr;
    }
    return std::make_shared<LengthMatch>(*range, given->inverted);
}

}  // namespace

const MatchModule kMultiportModule = {"multiport", kBothFamilies, kMultiportOptions,
                                      parse_multiport};
const MatchModule kIprangeModule = {"iprange", kBothFamilies, kIprangeOptions, parse_iprange};
const MatchModule kLengthModule = {"length", kBothFamilies, kLengthOptions, parse_length};

}  // namespace nsr::rules
