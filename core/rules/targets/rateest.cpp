// -j RATEEST: counts what it sees for the estimator of a name, which -m rateest asks.
// kernel: xt_RATEEST.c
#include <array>
#include <cmath>

#include "core/rules/match.hpp"
#include "core/rules/rate_estimators.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/targets/passing.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kRateestOptions =
    std::to_array<OptionSpec>({{"rateest-name"}, {"rateest-interval"}, {"rateest-ewmalog"}});
constexpr std::uint32_t kSecond = 1000000;  // microseconds
constexpr unsigned kLongestInterval = 5;    // 8 s
constexpr unsigned kMostEwma = 31;

// What feeds the estimator: asked last, it says yes to every packet.
class Counting : public StatefulMatch<RateEstimators> {
  public:
    Counting(std::string name, const RateConfig& config)
        : StatefulMatch(""), name_(std::move(name)), config_(config) {}
    std::string save() const override { return {}; }
    std::string shared_name() const override { return "rateest"; }

  private:
    void join(RateEstimators& estimators) const override { estimators.join(name_); }
    void leave(RateEstimators& estimators) const override { estimators.leave(name_); }
    MatchResult test(ActionParam& par, RateEstimators& estimators) const override {
        estimators.count(name_, config_, par.packet.layout.total_length, to_jiffies(par.now));
        return MatchResult::Yes;
    }

    std::string name_;
    RateConfig config_;
};

class RateestTarget : public PassingTarget {
  public:
    RateestTarget(std::string text, const std::string& name, const RateConfig& config)
        : PassingTarget("RATEEST", std::move(text)), counting_(name, config) {}
    const Match* memory() const override { return &counting_; }

  private:
    Counting counting_;
};

struct TimeUnit {
    std::string_view name;
    std::uint32_t microseconds;
};
constexpr std::array kTimeUnits = std::to_array<TimeUnit>({{"", 1},
                                                           {"us", 1},
                                                           {"usec", 1},
                                                           {"usecs", 1},
                                                           {"ms", 1000},
                                                           {"msec", 1000},
                                                           {"msecs", 1000},
                                                           {"s", kSecond},
                                                           {"sec", kSecond},
                                                           {"secs", kSecond}});

// "250ms", "0.5s", "1000" in microseconds, of which iptables keeps the lowest 32 bits.
std::optional<std::uint32_t> parse_time(std::string_view text) {
    const auto number = parse_leading_real(text);
    const std::string unit = number ? lower(number->rest) : "";
    for (const TimeUnit& known : kTimeUnits) {
        if (number && known.name == unit) {
            constexpr double kMost = 9e18;
            const double time = number->value * known.microseconds;
            return static_cast<std::uint32_t>(
                std::abs(time) < kMost ? static_cast<std::int64_t>(time) : 0);
        }
    }
    return std::nullopt;
}

// "250.0ms", "1.0s"
std::string time_text(std::uint32_t microseconds) {
    const bool seconds = microseconds >= kSecond;
    const std::uint32_t tenths = microseconds / (seconds ? kSecond / 10 : 100);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + (seconds ? "s" : "ms");
}

std::uint32_t interval_of(const RateConfig& config) {
    return kSecond / 4 << config.interval_log;
}

// The shortest interval there is that is as long, and the greatest weight whose time constant is
// not too long. libxt_RATEEST: RATEEST_final_check
std::optional<RateConfig> config_for(double interval, double time_constant) {
    RateConfig config{0, 1};
    while (config.interval_log <= kLongestInterval && interval > interval_of(config)) {
        ++config.interval_log;
    }
    const auto constant = [&](unsigned ewma) {
        return interval / -std::log(1.0 - 1.0 / static_cast<double>(std::uint64_t{1} << ewma));
    };
    while (config.ewma_log <= kMostEwma && constant(config.ewma_log) <= time_constant) {
        ++config.ewma_log;
    }
    --config.ewma_log;
    const bool fits = config.interval_log <= kLongestInterval && config.ewma_log != 0 &&
                      config.ewma_log < kMostEwma;
    return fits ? std::optional(config) : std::nullopt;
}

// What iptables shows of the time has 32 bits. differs: strict-values
bool is_shown(const RateConfig& config, const GivenOption& given, const RuleContext& context) {
    constexpr std::uint64_t kMost = 0xffffffff;
    if (std::uint64_t{interval_of(config)} << config.ewma_log <= kMost) {
        return true;
    }
    context.error(given, in_quotes(given.value) +
                             " makes a time that is longer than 4294 seconds, the most that can be"
                             " shown");
    return false;
}

std::shared_ptr<const Target> parse_rateest(const Options& options, RuleContext& context) {
    constexpr std::size_t kMostName = 15;
    const bool complete = has_one_of(options, context, {"rateest-name"}) &&
                          has_one_of(options, context, {"rateest-interval"}) &&
                          has_one_of(options, context, {"rateest-ewmalog"});
    if (!complete) {
        return nullptr;
    }
    const GivenOption& long_run = *options.find("rateest-ewmalog");
    const auto interval = parse_time(options.find("rateest-interval")->value);
    const auto time_constant = parse_time(long_run.value);
    const auto config =
        interval && time_constant ? config_for(*interval, *time_constant) : std::nullopt;
    if (!config) {
        context.error(
            "--rateest-interval needs a time such as 250ms, up to 8s, and --rateest-ewmalog a "
            "longer one, at least 1.5 times as long");
        return nullptr;
    }
    if (!is_shown(*config, long_run, context)) {
        return nullptr;
    }
    const std::string name = options.find("rateest-name")->value.substr(0, kMostName);
    const std::uint32_t shown = interval_of(*config);
    return std::make_shared<RateestTarget>(
        "--rateest-name " + form::plain_or_quoted(name) + " --rateest-interval " +
            time_text(shown) + " --rateest-ewmalog " + time_text(shown << config->ewma_log),
        name, *config);
}

}  // namespace

const TargetModule kRateestTarget = {"RATEEST", kBothFamilies, kRateestOptions, parse_rateest};

}  // namespace nsr::rules
