// -m connbytes, helper: more about a connection.
// kernel: xt_connbytes.c, xt_helper.c
#include <algorithm>
#include <array>
#include <utility>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kConnbytesOptions =
    std::to_array<OptionSpec>({{"connbytes", 1, true}, {"connbytes-dir"}, {"connbytes-mode"}});
constexpr std::array<std::string_view, 3> kDirections = {"original", "reply", "both"};
constexpr std::array<std::string_view, 3> kModes = {"packets", "bytes", "avgpkt"};

class ConnbytesMatch : public Match {
  public:
    ConnbytesMatch() : Match("connbytes") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;
    bool needs_tracking() const override { return true; }
    bool needs_accounting() const override { return true; }

    NumberRange range;
    bool invert = false;
    std::size_t direction = 0;
    std::size_t mode = 0;

  private:
    std::uint64_t measure(const conntrack::Extra& extra) const;
};

std::string ConnbytesMatch::save() const {
    std::string text = std::string(bang(invert)) + "--connbytes " + std::to_string(range.low);
    if (range.high != ~std::uint64_t{0}) {
        text += ":" + std::to_string(range.high);
    }
    return text + " --connbytes-mode " + std::string(kModes[mode]) + " --connbytes-dir " +
           std::string(kDirections[direction]);
}

std::uint64_t ConnbytesMatch::measure(const conntrack::Extra& extra) const {
    const auto& [original, reply] = extra.counters;
    const std::uint64_t packets =
        (direction != 1 ? original.packets : 0) + (direction != 0 ? reply.packets : 0);
    const std::uint64_t bytes =
        (direction != 1 ? original.bytes : 0) + (direction != 0 ? reply.bytes : 0);
    switch (mode) {
        case 0:
            return packets;
        case 1:
            return bytes;
        default:
            return packets == 0 ? 0 : bytes / packets;
    }
}

// kernel: connbytes_mt; a connection without counters never matches, negated or not
MatchResult ConnbytesMatch::test(ActionParam& par) const {
    const ConnId conn = par.packet.meta.conn;
    if (conn == ConnId::None) {
        return MatchResult::No;
    }
    const auto& table = par.conntrack.table();
    const conntrack::Extra* extra = std::as_const(table).extra(conn);
    if (extra == nullptr || !extra->counting) {
        return MatchResult::No;
    }
    const std::uint64_t value = measure(*extra);
    return yes_if((value >= range.low && value <= range.high) != invert);
}

std::shared_ptr<const Match> parse_connbytes(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("connbytes");
    const GivenOption* direction = options.find("connbytes-dir");
    const GivenOption* mode = options.find("connbytes-mode");
    if (given == nullptr || direction == nullptr || mode == nullptr) {
        context.error("match \"connbytes\" needs --connbytes, --connbytes-dir, --connbytes-mode");
        return nullptr;
    }
    auto match = std::make_shared<ConnbytesMatch>();
    // "3" means from 3 on, as "3:" does
    const bool open = given->value.find(':') == std::string::npos;
    const auto range = parse_range(given->value + (open ? ":" : ""), ~std::uint64_t{0});
    const auto* way = std::find(kDirections.begin(), kDirections.end(), direction->value);
    const auto* what = std::find(kModes.begin(), kModes.end(), mode->value);
    if (!range || range->high < range->low) {
        context.error(*given, in_quotes(given->value) + " is not a range from:to");
    } else if (way == kDirections.end()) {
        context.error(*direction, "--connbytes-dir is original, reply or both");
    } else if (what == kModes.end()) {
        context.error(*mode, "--connbytes-mode is packets, bytes or avgpkt");
    } else {
        match->range = *range;
        // kernel: the ends change places for "!", which says nothing if they are the same
        match->invert = given->inverted && range->low != range->high;
        match->direction = static_cast<std::size_t>(way - kDirections.begin());
        match->mode = static_cast<std::size_t>(what - kModes.begin());
        return match;
    }
    return nullptr;
}

constexpr std::size_t kMaxHelperBytes = 29;
constexpr std::array kHelperOptions = std::to_array<OptionSpec>({{"helper", 1, true}});

// The connection was expected by a helper of its master. kernel: helper_mt
class HelperMatch : public Match {
  public:
    HelperMatch(std::string_view helper, bool invert)
        : Match("helper"), helper_(helper), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--helper " + quoted(helper_);
    }
    MatchResult test(ActionParam& par) const override;
    bool needs_tracking() const override { return true; }

  private:
    std::string helper_;
    bool invert_;
};

// Was the connection expected by that helper? An empty name is any. kernel: helper_mt
MatchResult HelperMatch::test(ActionParam& par) const {
    const ConnId conn = par.packet.meta.conn;
    const auto master =
        conn == ConnId::None ? conntrack::HelperId::None : par.conntrack.master_helper_of(conn);
    if (master == conntrack::HelperId::None) {
        return yes_if(invert_);
    }
    const std::string_view name = conntrack::helper_info(master).name;
    const bool same = helper_.empty() || std::string_view(helper_).starts_with(name);
    return yes_if(same != invert_);
}

std::shared_ptr<const Match> parse_helper(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("helper");
    if (given == nullptr) {
        context.error("match \"helper\" needs --helper");
        return nullptr;
    }
    return std::make_shared<HelperMatch>(given->value.substr(0, kMaxHelperBytes), given->inverted);
}

}  // namespace

const MatchModule kConnbytesMatch = {"connbytes", kBothFamilies, kConnbytesOptions,
                                     parse_connbytes};
const MatchModule kHelperMatch = {"helper", kBothFamilies, kHelperOptions, parse_helper};

}  // namespace nsr::rules
