// -m string, u32, tcpmss: bytes of the packet.
// kernel: xt_string.c, xt_u32.c, xt_tcpmss.c
#include <algorithm>
#include <array>

#include "core/rules/modules.hpp"
#include "core/rules/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kStringOptions = std::to_array<OptionSpec>(
    {{"string", 1, true}, {"hex-string", 1, true}, {"algo"}, {"from"}, {"to"}, {"icase", 0}});
constexpr std::size_t kMaxPattern = 128;
constexpr std::size_t kNoEnd = 0xffff;

class StringMatch : public Match {
  public:
    StringMatch() : Match("string") {}
    std::string save() const override;
    MatchResult test(Subject& subject, MatchState* state) const override;

    std::string pattern;
    std::string algorithm;  // bm and kmp find the same
    std::size_t from = 0;
    std::size_t to = kNoEnd;
    bool ignore_case = false;
    bool invert = false;
};

bool printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string escaped(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result + "\"";
}

std::string hex_bytes(std::string_view text) {
    std::string result = "\"|";
    for (const char c : text) {
        result += hex2(static_cast<std::uint8_t>(c)).substr(2);
    }
    return result + "|\"";
}

std::string StringMatch::save() const {
    std::string text(bang(invert));
    text +=
        printable(pattern) ? "--string " + escaped(pattern) : "--hex-string " + hex_bytes(pattern);
    text += " --algo " + algorithm;
    if (from != 0) {
        text += " --from " + std::to_string(from);
    }
    if (to != kNoEnd) {
        text += " --to " + std::to_string(to);
    }
    return ignore_case ? text + " --icase" : text;
}

// kernel: skb_find_text: the pattern must begin and end between from and to
MatchResult StringMatch::test(Subject& subject, MatchState*) const {
    const wire::ConstBytes bytes = subject.packet.bytes();
    const std::size_t end = std::min(bytes.size(), to);
    if (from >= end) {
        return yes_if(invert);
    }
    const auto area = bytes.subspan(from, end - from);
    const auto fold = [&](unsigned char c) {
        return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
    };
    const auto found = std::search(
        area.begin(), area.end(), pattern.begin(), pattern.end(),
        [&](std::uint8_t a, char b) { return fold(a) == fold(static_cast<unsigned char>(b)); });
    return yes_if((found != area.end()) != invert);
}

// "abc|0a 0b|def"
std::optional<std::string> parse_hex_string(std::string_view text) {
    std::string bytes;
    bool in_hex = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '|') {
            in_hex = !in_hex;
        } else if (!in_hex) {
            bytes += text[i];
        } else if (text[i] != ' ') {
            const auto value = parse_number("0x" + std::string(text.substr(i, 2)), 0xff);
            if (!value || i + 2 > text.size()) {
                return std::nullopt;
            }
            bytes += static_cast<char>(*value);
            ++i;
        }
    }
    return in_hex ? std::nullopt : std::optional(bytes);
}

std::shared_ptr<const Match> parse_string(const Options& options, RuleContext& context) {
    const GivenOption* plain = options.find("string");
    const GivenOption* hexadecimal = options.find("hex-string");
    const GivenOption* algorithm = options.find("algo");
    if ((plain == nullptr) == (hexadecimal == nullptr) || algorithm == nullptr ||
        (algorithm->value != "bm" && algorithm->value != "kmp")) {
        context.error("match \"string\" needs --string or --hex-string, and --algo bm or kmp");
        return nullptr;
    }
    const GivenOption& given = plain != nullptr ? *plain : *hexadecimal;
    const auto pattern =
        plain != nullptr ? std::optional(plain->value) : parse_hex_string(hexadecimal->value);
    if (!pattern || pattern->empty() || pattern->size() > kMaxPattern) {
        context.error(given, "a pattern has 1 to 128 bytes, with hexadecimal ones as in |0d 0a|");
        return nullptr;
    }
    auto match = std::make_shared<StringMatch>();
    match->pattern = *pattern;
    match->algorithm = algorithm->value;
    match->invert = given.inverted;
    match->ignore_case = options.has("icase");
    match->from = read_number(options, context, "from", 0, 0xffff).value_or(0);
    match->to = read_number(options, context, "to", 0, 0xffff).value_or(kNoEnd);
    return match;
}

constexpr std::array kU32Options = std::to_array<OptionSpec>({{"u32", 1, true}});
constexpr std::size_t kMaxU32 = 10;  // kernel: XT_U32_MAXSIZE

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
    MatchResult test(Subject& subject, MatchState*) const override {
        const wire::ConstBytes bytes = subject.packet.bytes();
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

// kernel: u32_match_it; shift counts wrap as the processor's do
bool U32Match::passes(wire::ConstBytes bytes, const U32Test& test) {
    std::uint32_t value = 0;
    std::uint64_t at = 0;
    for (const U32Step& step : test.steps) {
        switch (step.op) {
            case U32Op::And:
                value &= step.number;
                continue;
            case U32Op::Left:
                value <<= step.number & 31;
                continue;
            case U32Op::Right:
                value >>= step.number & 31;
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
        skip();
        const std::size_t length =
            std::min(text_.find_first_not_of("0123456789abcdefABCDEFxX"), text_.size());
        const auto value = parse_number(text_.substr(0, length), 0xffffffff);
        text_.remove_prefix(length);
        return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
    }
    bool location(U32Test& test) {
        U32Op op = U32Op::Start;
        while (true) {
            const auto operand = number();
            if (!operand || test.steps.size() > kMaxU32) {
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
            if (!low || !high || test.values.size() > kMaxU32) {
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

constexpr std::array kTcpmssOptions = std::to_array<OptionSpec>({{"mss", 1, true}});

class TcpmssMatch : public Match {
  public:
    TcpmssMatch(const NumberRange& range, bool invert)
        : Match("tcpmss"), range_(range), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--mss " + std::to_string(range_.low) +
               (range_.low == range_.high ? "" : ":" + std::to_string(range_.high));
    }
    MatchResult test(Subject& subject, MatchState* state) const override;

  private:
    NumberRange range_;
    bool invert_;
};

// kernel: tcpmss_mt; without the option the match is as if it did not fit
MatchResult TcpmssMatch::test(Subject& subject, MatchState*) const {
    constexpr std::size_t kMssBytes = 4;
    if (!subject.packet.layout.has_l4_header()) {
        return MatchResult::No;
    }
    const auto header = wire::TcpView::parse(subject.packet.l4());
    if (!header || !header->data_offset_valid()) {
        return MatchResult::HotDrop;
    }
    const auto options = header->options();
    for (std::size_t i = 0; i < options.size();) {
        if (options[i] == wire::tcp::kOptionMss && options.size() - i >= kMssBytes &&
            options[i + 1] == kMssBytes) {
            const std::uint16_t mss = wire::load16(options.data() + i + 2);
            return yes_if((mss >= range_.low && mss <= range_.high) != invert_);
        }
        const bool has_length = options[i] >= 2 && i + 1 < options.size() && options[i + 1] != 0;
        i += has_length ? options[i + 1] : 1;
    }
    return yes_if(invert_);
}

std::shared_ptr<const Match> parse_tcpmss(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("mss");
    const auto range = given != nullptr ? parse_range(given->value, 0xffff) : std::nullopt;
    if (!range || !context.only(proto::kTcp)) {
        context.error(
            given != nullptr ? *given : GivenOption{},
            "match \"tcpmss\" needs --mss VALUE[:VALUE], and \"-p tcp\" in the same rule");
        return nullptr;
    }
    return std::make_shared<TcpmssMatch>(*range, given->inverted);
}

}  // namespace

const MatchModule kStringModule = {"string", kBothFamilies, kStringOptions, parse_string};
const MatchModule kU32Module = {"u32", kBothFamilies, kU32Options, parse_u32};
const MatchModule kTcpmssModule = {"tcpmss", kBothFamilies, kTcpmssOptions, parse_tcpmss};

}  // namespace nsr::rules
