// -m tcpmss: the maximum segment size that a SYN announces.
// kernel: xt_tcpmss.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp_options.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTcpmssOptions = std::to_array<OptionSpec>({{"mss", 1, true}});

class TcpmssMatch : public Match {
  public:
    TcpmssMatch(const NumberRange& range, bool invert)
        : Match("tcpmss"), range_(range), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--mss " + std::to_string(range_.low) +
               (range_.low == range_.high ? "" : ":" + std::to_string(range_.high));
    }
    MatchResult test(ActionParam& par) const override;

  private:
    NumberRange range_;
    bool invert_;
};

// kernel: tcpmss_mt; without the option the match is as if it did not fit
MatchResult TcpmssMatch::test(ActionParam& par) const {
    constexpr std::size_t kMssBytes = 4;
    if (!par.packet.layout.has_l4_header()) {
        return MatchResult::No;
    }
    const auto header = wire::TcpView::parse(par.packet.l4());
    if (!header || !header->data_offset_valid()) {
        return MatchResult::HotDrop;
    }
    const auto options = header->options();
    wire::TcpOptionWalk walk(options, wire::TcpOptionReading::Tolerant);
    while (const auto option = walk.next()) {
        if (option->kind == wire::tcp::kOptionMss && option->length == kMssBytes &&
            option->offset + kMssBytes <= options.size()) {
            const std::uint16_t mss = wire::load16(options.data() + option->offset + 2);
            return yes_if((mss >= range_.low && mss <= range_.high) != invert_);
        }
    }
    return yes_if(invert_);
}

std::shared_ptr<const Match> parse_tcpmss(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("mss");
    const auto range = given != nullptr ? parse_range(given->value, 0xffff) : std::nullopt;
    if (!range || range->high < range->low) {
        context.error(given != nullptr ? *given : GivenOption{},
                      "match \"tcpmss\" needs --mss VALUE[:VALUE]");
        return nullptr;
    }
    if (!context.only(proto::kTcp)) {
        context.refuse("match \"tcpmss\" needs \"-p tcp\" in the same rule");
        return nullptr;
    }
    return std::make_shared<TcpmssMatch>(*range, given->inverted);
}

}  // namespace

const MatchModule kTcpmssMatch = {"tcpmss", kBothFamilies, kTcpmssOptions, parse_tcpmss};

}  // namespace nsr::rules
