// -m limit, statistic and quota: rules that remember what went before.
// kernel: xt_limit.c, xt_statistic.c, xt_quota.c
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/rules/modules.hpp"
#include "core/rules/rate.hpp"
#include "core/rules/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kLimitOptions =
    std::to_array<OptionSpec>({{"limit", 1, false}, {"limit-burst", 1, false}});

// A token bucket in the kernel's own arithmetic, 32 bits wide, ticks of 4 ms included.
constexpr std::uint32_t kScale = 10000;          // kernel: XT_LIMIT_SCALE
constexpr std::uint32_t kCreditsPerJiffy = 128;  // kernel: POW2_BELOW32(MAX_CPJ) at HZ=250
constexpr std::uint32_t kCreditsPerSecond = kJiffiesPerSecond * kCreditsPerJiffy;
constexpr std::uint32_t kDefaultBurst = 5;

// kernel: user2credits
std::uint32_t credits_of(std::uint32_t user) {
    if (user > 0xffffffff / kCreditsPerSecond) {
        return user / kScale * kCreditsPerSecond;
    }
    return user * kCreditsPerSecond / kScale;
}

struct LimitState : MatchState {
    std::unique_ptr<MatchState> clone() const override {
        return std::make_unique<LimitState>(*this);
    }

    bool started = false;
    Jiffies previous = 0;
    std::uint32_t credit = 0;
};

class LimitMatch : public Match {
  public:
    LimitMatch(std::uint32_t period, std::uint32_t burst)
        : Match("limit"), period_(period), burst_(burst) {}
    std::string save() const override {
        return "--limit " + rate_text(period_, kScale) +
               (burst_ == kDefaultBurst ? "" : " --limit-burst " + std::to_string(burst_));
    }
    std::unique_ptr<MatchState> make_state() const override {
        return std::make_unique<LimitState>();
    }
    MatchResult test(Subject& subject, MatchState* state) const override;

  private:
    std::uint32_t period_;
    std::uint32_t burst_;
};

// kernel: limit_mt
MatchResult LimitMatch::test(Subject& subject, MatchState* state) const {
    auto& bucket = static_cast<LimitState&>(*state);
    const Jiffies now = to_jiffies(subject.now);
    const std::uint32_t cost = credits_of(period_);
    const std::uint32_t cap = credits_of(period_ * burst_);
    if (!bucket.started) {
        bucket.started = true;
        bucket.previous = now;
        bucket.credit = cap;
    }
    bucket.credit = std::min(bucket.credit + (now - bucket.previous) * kCreditsPerJiffy, cap);
    bucket.previous = now;
    if (bucket.credit < cost) {
        return MatchResult::No;
    }
    bucket.credit -= cost;
    return MatchResult::Yes;
}

std::shared_ptr<const Match> parse_limit(const Options& options, RuleContext& context) {
    std::uint64_t period = kScale * 3600u / 3;
    if (const GivenOption* given = options.find("limit")) {
        const auto rate = parse_rate(given->value, kScale);
        if (!rate || *rate > 0xffffffff) {
            context.error(*given, in_quotes(given->value) +
                                      " is not a rate such as 5/second, 3/minute, 10/hour or 1/day"
                                      " of at most 10000/second");
            return nullptr;
        }
        period = *rate;
    }
    const auto burst = static_cast<std::uint32_t>(
        read_number(options, context, "limit-burst", 1, 10000).value_or(kDefaultBurst));
    const auto avg = static_cast<std::uint32_t>(period);
    if (credits_of(avg * burst) < credits_of(avg)) {
        context.error(
            "limit and burst are too great together; the kernel's counter would overflow");
        return nullptr;
    }
    return std::make_shared<LimitMatch>(avg, burst);
}

constexpr std::array kStatisticOptions =
    std::to_array<OptionSpec>({{"mode"}, {"probability", 1, true}, {"every", 1, true}, {"packet"}});
constexpr double kProbabilityOne = 2147483648.0;  // kernel: 31 bits

struct NthState : MatchState {
    std::unique_ptr<MatchState> clone() const override { return std::make_unique<NthState>(*this); }

    std::uint32_t count = 0;
};

class StatisticMatch : public Match {
  public:
    StatisticMatch() : Match("statistic") {}
    std::string save() const override;
    std::unique_ptr<MatchState> make_state() const override;
    MatchResult test(Subject& subject, MatchState* state) const override;

    bool nth = false;
    bool invert = false;
    std::uint32_t probability = 0;
    std::uint32_t every = 1;
    std::uint32_t packet = 0;
};

std::string StatisticMatch::save() const {
    if (nth) {
        return "--mode nth " + std::string(bang(invert)) + "--every " + std::to_string(every) +
               " --packet " + std::to_string(packet);
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   probability / kProbabilityOne, std::chars_format::fixed, 11)
                         .ptr;
    return "--mode random " + std::string(bang(invert)) + "--probability " +
           std::string(digits.data(), end);
}

std::unique_ptr<MatchState> StatisticMatch::make_state() const {
    auto state = std::make_unique<NthState>();
    state->count = every - 1 - packet;
    return state;
}

// kernel: statistic_mt
MatchResult StatisticMatch::test(Subject& subject, MatchState* state) const {
    if (!nth) {
        const std::uint32_t drawn = subject.environment.random.next32() & 0x7fffffff;
        return yes_if((drawn < probability) != invert);
    }
    std::uint32_t& count = static_cast<NthState&>(*state).count;
    count = count == every - 1 ? 0 : count + 1;
    return yes_if((count == 0) != invert);
}

bool read_probability(const GivenOption& given, const RuleContext& context, StatisticMatch& match) {
    double value = -1;
    const char* last = given.value.data() + given.value.size();
    const auto [end, error] = std::from_chars(given.value.data(), last, value);
    if (error != std::errc{} || end != last || !(value >= 0 && value <= 1)) {
        context.error(given,
                      "a probability is a number from 0 to 1, not " + in_quotes(given.value));
        return false;
    }
    match.probability = static_cast<std::uint32_t>(std::lround(value * kProbabilityOne));
    match.invert = given.inverted;
    return true;
}

std::shared_ptr<const Match> parse_statistic(const Options& options, RuleContext& context) {
    auto match = std::make_shared<StatisticMatch>();
    const GivenOption* mode = options.find("mode");
    const GivenOption* probability = options.find("probability");
    const GivenOption* every = options.find("every");
    const bool random = mode != nullptr && mode->value == "random";
    const bool nth = mode != nullptr && mode->value == "nth";
    if ((!random && !nth) || (random && (probability == nullptr || every != nullptr)) ||
        (nth && (every == nullptr || probability != nullptr))) {
        context.error(mode != nullptr ? *mode : GivenOption{},
                      "match \"statistic\" needs --mode random --probability P, or --mode nth"
                      " --every N [--packet P]");
        return nullptr;
    }
    if (random) {
        return read_probability(*probability, context, *match) ? match : nullptr;
    }
    match->nth = true;
    match->invert = every->inverted;
    const auto period = read_number(options, context, "every", 1, 0xffffffff);
    if (!period) {
        return nullptr;
    }
    match->every = static_cast<std::uint32_t>(*period);
    match->packet = static_cast<std::uint32_t>(
        read_number(options, context, "packet", 0, *period - 1).value_or(0));
    return match;
}

constexpr std::array kQuotaOptions = std::to_array<OptionSpec>({{"quota", 1, true}});

struct QuotaState : MatchState {
    std::unique_ptr<MatchState> clone() const override {
        return std::make_unique<QuotaState>(*this);
    }

    std::uint64_t left = 0;
};

class QuotaMatch : public Match {
  public:
    QuotaMatch(std::uint64_t quota, bool invert) : Match("quota"), quota_(quota), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--quota " + std::to_string(quota_);
    }
    std::unique_ptr<MatchState> make_state() const override {
        auto state = std::make_unique<QuotaState>();
        state->left = quota_;
        return state;
    }
    // kernel: quota_mt
    MatchResult test(Subject& subject, MatchState* state) const override {
        std::uint64_t& left = static_cast<QuotaState&>(*state).left;
        const std::uint64_t length = subject.packet.layout.total_length;
        const bool inside = left >= length;
        left = inside ? left - length : 0;
        return yes_if(inside != invert_);
    }

  private:
    std::uint64_t quota_;
    bool invert_;
};

std::shared_ptr<const Match> parse_quota(const Options& options, RuleContext& context) {
    const auto quota = read_number(options, context, "quota", 0, ~std::uint64_t{0});
    if (!quota) {
        if (!options.has("quota")) {
            context.error("match \"quota\" needs --quota BYTES");
        }
        return nullptr;
    }
    return std::make_shared<QuotaMatch>(*quota, options.find("quota")->inverted);
}

}  // namespace

const MatchModule kLimitModule = {"limit", kBothFamilies, kLimitOptions, parse_limit};
const MatchModule kStatisticModule = {"statistic", kBothFamilies, kStatisticOptions,
                                      parse_statistic};
const MatchModule kQuotaModule = {"quota", kBothFamilies, kQuotaOptions, parse_quota};

}  // namespace nsr::rules
