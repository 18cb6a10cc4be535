// -m string: a pattern somewhere in the packet.
// kernel: xt_string.c
#include <algorithm>
#include <array>

#include "core/rules/modules.hpp"
#include "core/rules/text.hpp"
#include "core/wire/bytes.hpp"

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

}  // namespace

const MatchModule kStringModule = {"string", kBothFamilies, kStringOptions, parse_string};

}  // namespace nsr::rules
