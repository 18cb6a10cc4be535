// -m limit: so many packets per time.
// kernel: xt_limit.c
#include <algorithm>
#include <array>

#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/matches/memory/rate.hpp"
#include "core/rules/words/text.hpp"

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

struct Bucket {
    bool started = false;
    Jiffies previous = 0;
    std::uint32_t credit = 0;
};

class LimitMatch : public StatefulMatch<Bucket> {
  public:
    LimitMatch(std::uint32_t period, std::uint32_t burst)
        : StatefulMatch("limit"), period_(period), burst_(burst) {}
    std::string save() const override {
        return "--limit " + rate_text(period_, kScale) +
               (burst_ == kDefaultBurst ? "" : " --limit-burst " + std::to_string(burst_));
    }

  private:
    MatchResult test(ActionParam& par, Bucket& bucket) const override;

    std::uint32_t period_;
    std::uint32_t burst_;
};

// kernel: limit_mt
MatchResult LimitMatch::test(ActionParam& par, Bucket& bucket) const {
    const Jiffies now = to_jiffies(par.now);
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

}  // namespace

const MatchModule kLimitMatch = {"limit", kBothFamilies, kLimitOptions, parse_limit};

}  // namespace nsr::rules
