// -m quota: so many bytes and no more.
// kernel: xt_quota.c
#include <array>

#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kQuotaOptions = std::to_array<OptionSpec>({{"quota", 1, true}});

struct Left {
    std::uint64_t bytes = 0;
};

class QuotaMatch : public StatefulMatch<Left> {
  public:
    QuotaMatch(std::uint64_t quota, bool invert)
        : StatefulMatch("quota"), quota_(quota), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--quota " + std::to_string(quota_);
    }

  private:
    Left first_state() const override { return {quota_}; }
    // kernel: quota_mt
    MatchResult test(ActionParam& par, Left& left) const override {
        const std::uint64_t length = par.packet.layout.total_length;
        const bool inside = left.bytes >= length;
        left.bytes = inside ? left.bytes - length : 0;
        return yes_if(inside != invert_);
    }

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

const MatchModule kQuotaMatch = {"quota", kBothFamilies, kQuotaOptions, parse_quota};

}  // namespace nsr::rules
