// -m quota: so many bytes and no more.
// kernel: xt_quota.c
#include <array>

#include "core/rules/language/text.hpp"
#include "core/rules/modules.hpp"

namespace nsr::rules {

namespace {

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

const MatchModule kQuotaModule = {"quota", kBothFamilies, kQuotaOptions, parse_quota};

}  // namespace nsr::rules
