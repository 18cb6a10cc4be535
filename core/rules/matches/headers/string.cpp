// -m string: a pattern somewhere in the packet.
// kernel: xt_string.c
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
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
    MatchResult test(ActionParam& par) const override;
    bool searches_packet() const override { return true; }

    // As given, and how long its longest beginning is that ends at each byte.
    void set_pattern(std::string given, bool icase);
    std::string pattern;
    std::vector<std::uint8_t> sought;  // in lower case if case does not count
    std::vector<std::uint8_t> borders;
    std::string algorithm;  // bm and kmp find the same
    std::size_t from = 0;
    std::size_t to = kNoEnd;
    bool ignore_case = false;
    bool invert = false;
};

// As text, and not in hexadecimal digits.
bool printable(std::string_view text) {
    return !text.ends_with('\\') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
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

unsigned char folded(unsigned char c, bool icase) {
    return icase && c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
}

// How much of the pattern has matched with `c`, if `length` of it had before: Knuth, Morris and
// Pratt, so that no payload costs more than its length. Precondition: length < sought.size().
std::size_t step(const StringMatch& match, std::size_t length, unsigned char c) {
    const unsigned char* sought = match.sought.data();
    while (length != 0 && sought[length] != c) {
        length = match.borders[length - 1];
    }
    return sought[length] == c ? length + 1 : length;
}

void StringMatch::set_pattern(std::string given, bool icase) {
    pattern = std::move(given);
    ignore_case = icase;
    for (const char c : pattern) {
        sought.push_back(folded(static_cast<unsigned char>(c), icase));
    }
    borders.assign(1, 0);
    for (std::size_t i = 1; i < sought.size(); ++i) {
        borders.push_back(static_cast<std::uint8_t>(step(*this, borders.back(), sought[i])));
    }
}

// kernel: skb_find_text: the pattern must begin and end between from and to
MatchResult StringMatch::test(ActionParam& par) const {
    const wire::ConstBytes bytes = par.packet.bytes();
    const std::size_t end = std::min(bytes.size(), to);
    if (from >= end) {
        return yes_if(invert);
    }
    std::size_t matched = 0;
    for (std::size_t i = from; i < end && matched != pattern.size(); ++i) {
        if (matched == 0 && !ignore_case) {  // the quick way to where it may begin
            const void* first = std::memchr(&bytes[i], sought[0], end - i);
            if (first == nullptr) {
                break;
            }
            i = static_cast<std::size_t>(static_cast<const std::uint8_t*>(first) - bytes.data());
        }
        matched = step(*this, matched, folded(bytes[i], ignore_case));
    }
    return yes_if((matched == pattern.size()) != invert);
}

// Two hexadecimal digits.
std::optional<char> hex_byte(std::string_view digits) {
    const auto value = digits.size() == 2 && digits[0] != '+' && digits[0] != ' '
                           ? parse_number("0x" + std::string(digits), 0xff)
                           : std::nullopt;
    return value ? std::optional(static_cast<char>(*value)) : std::nullopt;
}

// "abc|0a 0b|def"; outside of | a backslash takes the next character as it is. The character
// behind the second | is taken as it is, even a third one.
// libxt_string: parse_hex_string
std::optional<std::string> parse_hex_string(std::string_view text) {
    std::string bytes;
    bool in_hex = false;
    for (std::size_t i = 0; i < text.size();) {
        const bool escapes = text[i] == '\\';
        if (text[i] == '|') {
            in_hex = !in_hex;
            ++i;
            while (in_hex && i < text.size() && text[i] == ' ') {
                ++i;
            }
            if (i == text.size()) {
                break;
            }
        }
        if (in_hex) {
            const auto byte = hex_byte(text.substr(i, 2));
            if (!byte || i + 2 >= text.size()) {
                return std::nullopt;
            }
            bytes += *byte;
            i += text[i + 2] == ' ' ? 3 : 2;
        } else if (escapes && i + 1 == text.size()) {
            return std::nullopt;
        } else {
            i += escapes ? 1 : 0;
            bytes += text[i++];
        }
    }
    return bytes;
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
    match->set_pattern(*pattern, options.has("icase"));
    match->algorithm = algorithm->value;
    match->invert = given.inverted;
    match->from = read_number(options, context, "from", 0, 0xffff).value_or(0);
    match->to = read_number(options, context, "to", 0, 0xffff).value_or(kNoEnd);
    if (match->from > match->to) {
        context.error("--from stands behind --to");
        return nullptr;
    }
    return match;
}

}  // namespace

const MatchModule kStringMatch = {"string", kBothFamilies, kStringOptions, parse_string};

}  // namespace nsr::rules
