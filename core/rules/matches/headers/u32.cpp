// -m u32: arithmetic on words of the packet.
// kernel: xt_u32.c
#include <algorithm>
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kU32Options = std::to_array<OptionSpec>({{"u32", 1, true}});
constexpr std::size_t kMaxU32 = 10;  // kernel: XT_U32_MAXSIZE
constexpr std::uint32_t kMaxShift = 31;

enum class U32Op : std::uint8_t { Start, And, Left, Right, At };
struct U32Step {
    U32Op op;
    std::uint32_t number;
};
struct U32Test {
    std::vector<U32Step> steps;
    std::vector<NumberRange> values;
};

class U32Match : public Match {
  public:
    U32Match() : Match("u32") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override {
        const wire::ConstBytes bytes = par.packet.bytes();
        return yes_if(std::all_of(tests.begin(), tests.end(), [&](const U32Test& one) {
                          return passes(bytes, one);
                      }) != invert);
    }

    std::vector<U32Test> tests;
    bool invert = false;

  private:
    static bool passes(wire::ConstBytes bytes, const U32Test& test);
};

std::string U32Match::save() const {
    constexpr std::array<std::string_view, 5> kOps = {"", "&", "<<", ">>", "@"};
    std::string text = std::string(bang(invert)) + "--u32 \"";
    for (const U32Test& test : tests) {
        text += &test == tests.data() ? "" : "&&";
        for (const U32Step& step : test.steps) {
            text += std::string(kOps[static_cast<std::size_t>(step.op)]) + hex(step.number);
        }
        std::string values;
        for (const NumberRange& range : test.values) {
            values += (values.empty() ? "=" : ",") + hex(range.low) +
                      (range.low == range.high ? "" : ":" + hex(range.high));
        }
        text += values;
    }
    return text + "\"";
}

// kernel: u32_match_it
bool U32Match::passes(wire::ConstBytes bytes, const U32Test& test) {
    std::uint32_t value = 0;
    std::uint64_t at = 0;
    for (const U32Step& step : test.steps) {
        switch (step.op) {
            case U32Op::And:
                value &= step.number;
                continue;
            case U32Op::Left:
                value <<= step.number;
                continue;
            case U32Op::Right:
                value >>= step.number;
                continue;
            case U32Op::At:
                at += value;
                [[fallthrough]];
            case U32Op::Start:
                if (at + step.number + 4 > bytes.size()) {
                    return false;
                }
                value = wire::load32(bytes.data() + at + step.number);
        }
    }
    return std::any_of(test.values.begin(), test.values.end(), [&](const NumberRange& range) {
        return value >= range.low && value <= range.high;
    });
}

// One "location=values" of the expression.
class U32Parser {
  public:
    explicit U32Parser(std::string_view text) : text_(text) {}

    std::optional<std::vector<U32Test>> parse() {
        std::vector<U32Test> tests;
        do {
            U32Test test;
            if (!location(test) || !values(test)) {
                return std::nullopt;
            }
            tests.push_back(std::move(test));
        } while (eat("&&"));
        skip();
        return text_.empty() && tests.size() <= kMaxU32 ? std::optional(std::move(tests))
                                                        : std::nullopt;
    }

  private:
    void skip() {
        while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) {
            text_.remove_prefix(1);
        }
    }
    bool eat(std::string_view word) {
        skip();
        if (!text_.starts_with(word)) {
            return false;
        }
        text_.remove_prefix(word.size());
        return true;
    }
    std::optional<std::uint32_t> number() {
        const auto leading = parse_leading_number(text_, 0xffffffff);
        text_ = leading ? leading->rest : text_;
        return leading ? std::optional(static_cast<std::uint32_t>(leading->value)) : std::nullopt;
    }
    bool location(U32Test& test) {
        U32Op op = U32Op::Start;
        while (true) {
            const auto operand = number();
            const bool shifts = op == U32Op::Left || op == U32Op::Right;
            if (!operand || test.steps.size() == kMaxU32 || (shifts && *operand > kMaxShift)) {
                return false;
            }
            test.steps.push_back({op, *operand});
            if (eat("=")) {
                return true;
            }
            if (eat("<<")) {
                op = U32Op::Left;
            } else if (eat(">>")) {
                op = U32Op::Right;
            } else if (eat("&")) {
                op = U32Op::And;
            } else if (eat("@")) {
                op = U32Op::At;
            } else {
                return false;
            }
        }
    }
    bool values(U32Test& test) {
        do {
            const auto low = number();
            const auto high = low && eat(":") ? number() : low;
            if (!low || !high || test.values.size() == kMaxU32) {
                return false;
            }
            test.values.push_back({*low, *high});
        } while (eat(","));
        return true;
    }

    std::string_view text_;
};

std::shared_ptr<const Match> parse_u32(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("u32");
    auto tests = given != nullptr ? U32Parser(given->value).parse() : std::nullopt;
    if (!tests) {
        context.error(given != nullptr ? *given : GivenOption{},
                      "match \"u32\" needs --u32 with tests such as \"6&0xFF=1 && 4&0x1FFF=0\"");
        return nullptr;
    }
    auto match = std::make_shared<U32Match>();
    match->tests = std::move(*tests);
    match->invert = given->inverted;
    return match;
}

}  // namespace

const MatchModule kU32Match = {"u32", kBothFamilies, kU32Options, parse_u32};

}  // namespace nsr::rules
