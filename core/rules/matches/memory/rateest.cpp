// -m rateest: compares the rates that RATEEST estimates, with each other or with a number.
// kernel: xt_rateest.c
#include <algorithm>
#include <array>
#include <charconv>

#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/rate_estimators.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kRateestOptions = std::to_array<OptionSpec>({
    {"rateest1"},
    {"rateest", 1, false, "rateest1"},
    {"rateest2"},
    {"rateest-delta", 0},
    {"rateest-bps1", kOptionalValue},
    {"rateest-pps1", kOptionalValue},
    {"rateest-bps2", kOptionalValue},
    {"rateest-pps2", kOptionalValue},
    {"rateest-bps", kOptionalValue, false, "rateest-bps2"},
    {"rateest-pps", kOptionalValue, false, "rateest-pps2"},
    {"rateest-lt", 0, true, {}, true},
    {"rateest-gt", 0, true, {}, true},
    {"rateest-eq", 0, true, {}, true},
});
constexpr std::size_t kMostName = 15;

// What one of both sides is, and what is taken from it first.
struct Side {
    std::string name;  // of its estimator, if it has one
    std::uint32_t bytes = 0;
    std::uint32_t packets = 0;
};

class RateestMatch : public StatefulMatch<RateEstimators> {
  public:
    RateestMatch() : StatefulMatch("rateest") {}
    std::string save() const override;
    std::string shared_name() const override { return "rateest"; }

    Side first;
    Side second;
    std::string comparison;  // "lt", "gt" or "eq"
    bool inverted = false;
    bool relative = false;  // the second side is an estimator, too
    bool delta = false;
    bool of_bytes = false;
    bool of_packets = false;

  private:
    MatchResult test(ActionParam& par, RateEstimators& estimators) const override;
    void join(RateEstimators& estimators) const override;
    void leave(RateEstimators& estimators) const override;
    [[nodiscard]] Rate rate_of(const Side& side, RateEstimators& estimators, Jiffies now) const;
    [[nodiscard]] bool holds(std::uint64_t a, std::uint64_t b) const;
    [[nodiscard]] std::string rates_text(std::string_view unit, const std::string& value1,
                                         const std::string& value2) const;
};

bool RateestMatch::holds(std::uint64_t a, std::uint64_t b) const {
    if (comparison == "lt") {
        return a < b;
    }
    return comparison == "gt" ? a > b : a == b;
}

// libxt_rateest: rateest_print_rate
std::string bits_text(std::uint32_t bytes) {
    constexpr double kMillion = 1e6;
    const double bits = 8 * static_cast<double>(bytes);
    const auto rounded = [&](double unit, std::string_view name) {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bits / unit,
                                       std::chars_format::fixed, 0)
                             .ptr;
        return std::string(digits.data(), end) + std::string(name);
    };
    if (bits >= 1000 * kMillion) {
        return rounded(kMillion, "Mbit");
    }
    return bits >= kMillion ? rounded(1000, "Kbit") : rounded(1, "bit");
}

std::string RateestMatch::rates_text(std::string_view unit, const std::string& value1,
                                     const std::string& value2) const {
    const std::string option = "--rateest-" + std::string(unit);
    std::string text;
    if (delta) {
        append(text, option + "1 " + value1);
    }
    append(text, std::string(bang(inverted)) + "--rateest-" + comparison);
    append(text, option + (delta ? "2" : ""));
    if (delta || !relative) {
        append(text, value2);
    }
    return text;
}

std::string RateestMatch::save() const {
    std::string text = delta ? "--rateest-delta" : "";
    append(text, !relative ? "--rateest" : "--rateest1");
    append(text, form::plain_or_quoted(first.name));
    if (of_bytes) {
        append(text, rates_text("bps", bits_text(first.bytes), bits_text(second.bytes)));
    }
    if (of_packets) {
        append(text,
               rates_text("pps", std::to_string(first.packets), std::to_string(second.packets)));
    }
    if (relative) {
        append(text, "--rateest2 " + form::plain_or_quoted(second.name));
    }
    return text;
}

Rate RateestMatch::rate_of(const Side& side, RateEstimators& estimators, Jiffies now) const {
    if (&side == &second && !relative) {
        return {side.bytes, side.packets};
    }
    const Rate rate = estimators.rate(side.name, now);
    const auto left = [&](std::uint64_t wanted, std::uint64_t there) {
        return wanted >= there ? wanted - there : 0;
    };
    return delta ? Rate{left(side.bytes, rate.bytes), left(side.packets, rate.packets)} : rate;
}

void RateestMatch::join(RateEstimators& estimators) const {
    estimators.join(first.name);
    if (relative) {
        estimators.join(second.name);
    }
}

void RateestMatch::leave(RateEstimators& estimators) const {
    estimators.leave(first.name);
    if (relative) {
        estimators.leave(second.name);
    }
}

// kernel: xt_rateest_mt
MatchResult RateestMatch::test(ActionParam& par, RateEstimators& estimators) const {
    const Jiffies now = to_jiffies(par.now);
    const Rate a = rate_of(first, estimators, now);
    const Rate b = rate_of(second, estimators, now);
    bool result = inverted;
    result ^= of_bytes && holds(a.bytes, b.bytes);
    result ^= of_packets && holds(a.packets, b.packets);
    return yes_if(result);
}

// --- from text ----------------------------------------------------------------------------------

struct Unit {
    std::string_view name;  // in lower case
    double bits;
};
constexpr double kKibi = 1024.0;
constexpr std::array kUnits = std::to_array<Unit>({
    {"", 1},
    {"bit", 1},
    {"kibit", kKibi},
    {"kbit", 1e3},
    {"mibit", kKibi* kKibi},
    {"mbit", 1e6},
    {"gibit", kKibi* kKibi* kKibi},
    {"gbit", 1e9},
    {"tibit", kKibi* kKibi* kKibi* kKibi},
    {"tbit", 1e12},
    {"bps", 8},
    {"kibps", 8 * kKibi},
    {"kbps", 8e3},
    {"mibps", 8 * kKibi* kKibi},
    {"mbps", 8e6},
    {"gibps", 8 * kKibi* kKibi* kKibi},
    {"gbps", 8e9},
    {"tibps", 8 * kKibi* kKibi* kKibi* kKibi},
    {"tbps", 8e12},
});

// "2.5mbit" in bytes per second.
std::optional<std::uint32_t> parse_bytes_rate(std::string_view text) {
    const auto number = parse_leading_real(text);
    if (!number) {
        return std::nullopt;
    }
    const std::string unit = lower(number->rest);
    const auto* row = std::find_if(kUnits.begin(), kUnits.end(),
                                   [&](const Unit& known) { return known.name == unit; });
    constexpr double kLimit = 4294967296.0;
    if (row == kUnits.end()) {
        return std::nullopt;
    }
    const double bytes = number->value * row->bits / 8;
    return bytes >= 0 && bytes < kLimit ? std::optional(static_cast<std::uint32_t>(bytes))
                                        : std::nullopt;
}

std::optional<std::uint32_t> parse_packets_rate(std::string_view text) {
    const auto number = parse_number(text, 0xffffffff);
    return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

bool read_rates(const Options& options, const RuleContext& context, RateestMatch& match) {
    for (const GivenOption& given : options.given) {
        const bool bytes = given.name.starts_with("rateest-bps");
        if (!bytes && !given.name.starts_with("rateest-pps")) {
            continue;
        }
        (bytes ? match.of_bytes : match.of_packets) = true;
        if (given.value.empty()) {
            continue;
        }
        const auto rate = bytes ? parse_bytes_rate(given.value) : parse_packets_rate(given.value);
        if (!rate) {
            context.error(given, in_quotes(given.value) + " is not a rate such as " +
                                     (bytes ? "2.5mbit or 100kBps" : "100"));
            return false;
        }
        Side& side = given.name.ends_with('1') ? match.first : match.second;
        (bytes ? side.bytes : side.packets) = *rate;
    }
    return true;
}

// What iptables-save writes says the same one twice; of others the last one counts, and one "!" is
// enough.
void read_comparison(const Options& options, RateestMatch& match) {
    for (const GivenOption& given : options.given) {
        const std::string_view word = given.name.substr(given.name.size() - 2);
        if (word != "lt" && word != "gt" && word != "eq") {
            continue;
        }
        match.comparison = word;
        match.inverted = match.inverted || given.inverted;
    }
}

// kernel: xt_rateest_mt_checkentry
std::shared_ptr<const Match> parse_rateest(const Options& options, RuleContext& context) {
    auto match = std::make_shared<RateestMatch>();
    const GivenOption* first = options.find("rateest1");
    const GivenOption* second = options.find("rateest2");
    match->first.name = first == nullptr ? "" : first->value.substr(0, kMostName);
    match->second.name = second == nullptr ? "" : second->value.substr(0, kMostName);
    match->relative = second != nullptr;
    match->delta = options.has("rateest-delta");
    if (!read_rates(options, context, *match)) {
        return nullptr;
    }
    read_comparison(options, *match);
    if (match->first.name.empty() || match->comparison.empty() ||
        (!match->of_bytes && !match->of_packets)) {
        context.error(
            "match \"rateest\" needs --rateest, one of --rateest-lt, --rateest-gt and "
            "--rateest-eq, and --rateest-bps or --rateest-pps");
        return nullptr;
    }
    return match;
}

}  // namespace

const MatchModule kRateestMatch = {"rateest", kBothFamilies, kRateestOptions, parse_rateest};

}  // namespace nsr::rules
