// -m iprange: addresses from one to another.
// kernel: xt_iprange.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

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
    MatchResult test(ActionParam& par) const override {
        const Layout& layout = par.packet.layout;
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
    const auto low = parse_numeric_address(text.substr(0, dash), context.family);
    const auto high = dash == std::string_view::npos
                          ? low
                          : parse_numeric_address(text.substr(dash + 1), context.family);
    if (!low || !high) {
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

}  // namespace

const MatchModule kIprangeMatch = {"iprange", kBothFamilies, kIprangeOptions, parse_iprange};

}  // namespace nsr::rules
