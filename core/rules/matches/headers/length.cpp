// -m length: bytes of the packet, IP header included.
// kernel: xt_length.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kLengthOptions = std::to_array<OptionSpec>({{"length", 1, true}});

class LengthMatch : public Match {
  public:
    LengthMatch(const NumberRange& range, bool invert)
        : Match("length"), range_(range), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--length " + std::to_string(range_.low) +
               (range_.low == range_.high ? "" : ":" + std::to_string(range_.high));
    }
    MatchResult test(ActionParam& par) const override {
        const std::uint32_t length = par.packet.layout.total_length;
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

const MatchModule kLengthMatch = {"length", kBothFamilies, kLengthOptions, parse_length};

}  // namespace nsr::rules
