// -m statistic: every n-th packet, or some at random.
// kernel: xt_statistic.c
#include <array>
#include <charconv>
#include <cmath>

#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kStatisticOptions =
    std::to_array<OptionSpec>({{"mode"}, {"probability", 1, true}, {"every", 1, true}, {"packet"}});
constexpr double kProbabilityOne = 2147483648.0;  // kernel: 31 bits

struct Counter {
    std::uint32_t packets = 0;
};

class StatisticMatch : public StatefulMatch<Counter> {
  public:
    StatisticMatch() : StatefulMatch("statistic") {}
    std::string save() const override;

    bool nth = false;
    bool invert = false;
    std::uint32_t probability = 0;
    std::uint32_t every = 1;
    std::uint32_t packet = 0;

  private:
    Counter first_state() const override { return {every - 1 - packet}; }
    MatchResult test(ActionParam& par, Counter& counter) const override;
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

// kernel: statistic_mt
MatchResult StatisticMatch::test(ActionParam& par, Counter& counter) const {
    if (!nth) {
        const std::uint32_t drawn = par.random.next32() & 0x7fffffff;
        return yes_if((drawn < probability) != invert);
    }
    counter.packets = counter.packets == every - 1 ? 0 : counter.packets + 1;
    return yes_if((counter.packets == 0) != invert);
}

bool read_probability(const GivenOption& given, const RuleContext& context, StatisticMatch& match) {
    const auto value = parse_leading_real(given.value);
    if (!value || !value->rest.empty() || !(value->value >= 0 && value->value <= 1)) {
        context.error(given,
                      "a probability is a number from 0 to 1, not " + in_quotes(given.value));
        return false;
    }
    match.probability = static_cast<std::uint32_t>(std::lround(value->value * kProbabilityOne));
    match.invert = given.inverted;
    return true;
}

std::shared_ptr<const Match> parse_statistic(const Options& options, RuleContext& context) {
    auto match = std::make_shared<StatisticMatch>();
    const GivenOption* mode = options.find("mode");
    const GivenOption* probability = options.find("probability");
    const GivenOption* every = options.find("every");
    const GivenOption* packet = options.find("packet");
    const bool random = mode != nullptr && mode->value == "random";
    const bool nth = mode != nullptr && mode->value == "nth";
    if ((!random && !nth) || (random && probability == nullptr) || (nth && every == nullptr) ||
        (probability != nullptr && (every != nullptr || packet != nullptr)) ||
        (every == nullptr) != (packet == nullptr)) {
        context.error(mode != nullptr ? *mode : GivenOption{},
                      "match \"statistic\" needs --mode random --probability P, or --mode nth"
                      " --every N --packet P");
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

}  // namespace

const MatchModule kStatisticMatch = {"statistic", kBothFamilies, kStatisticOptions,
                                     parse_statistic};

}  // namespace nsr::rules
