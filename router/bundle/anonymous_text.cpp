#include "router/bundle/anonymous_text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <functional>
#include <optional>

#include "core/base/words.hpp"

namespace nsr::router {
namespace {

constexpr std::string_view kHex = "0123456789abcdefABCDEF:.";
constexpr std::string_view kDecimal = "0123456789.";
constexpr unsigned kWidestRange4 = 16;  // bits that all of a range share, at least
constexpr unsigned kWidestRange6 = 32;

constexpr bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t run_of(std::string_view text, std::size_t at, std::string_view characters) {
    return std::min(text.find_first_not_of(characters, at), text.size());
}

struct Found {
    IpAddress address;
    std::size_t end = 0;
    std::optional<unsigned> length;  // a prefix
    bool odd_mask = false;           // behind it stands a mask that is no prefix
};

// A number of a prefix, or a mask, behind the slash at `at`.
void read_length(std::string_view text, std::size_t at, Found& found) {
    const std::size_t end = run_of(text, at + 1, kDecimal);
    const std::string_view word = text.substr(at + 1, end - at - 1);
    unsigned length = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), length);
    if (const auto mask = parse_address(word); mask && mask->is_v4() && found.address.is_v4()) {
        const auto ones = static_cast<unsigned>(std::countl_one(mask->as_v4()));
        found.odd_mask = !(mask_of(Family::Ipv4, ones) == *mask);
        found.length = ones;
    } else if (read.ec == std::errc() && length <= found.address.bits()) {
        found.length = length;
    }
}

std::optional<Found> found_in(std::string_view text, std::size_t at, std::string_view characters) {
    std::size_t end = run_of(text, at, characters);
    if (end < text.size() && is_word(text[end])) {
        return std::nullopt;
    }
    while (end > at) {
        const std::string_view word = text.substr(at, end - at);
        if (const auto address = parse_address(word)) {
            Found found{*address, end, {}, false};
            if (end < text.size() && text[end] == '/') {
                read_length(text, end, found);
            }
            return found;
        }
        if (word.back() != '.' && word.back() != ':') {
            return std::nullopt;
        }
        --end;  // the end of a sentence
    }
    return std::nullopt;
}

// An address that begins here and is a word of its own.
std::optional<Found> address_at(std::string_view text, std::size_t at) {
    const char before = at == 0 ? ' ' : text[at - 1];
    if (is_word(before) || before == '.' || kHex.find(text[at]) == std::string_view::npos) {
        return std::nullopt;
    }
    if (before != ':') {
        const auto found = found_in(text, at, kHex);
        if (found) {
            return found;
        }
    }
    return text[at] >= '0' && text[at] <= '9' ? found_in(text, at, kDecimal) : std::nullopt;
}

// Calls `see` with every address and where it begins, `other` with what is between them.
void walk(std::string_view text, const std::function<void(std::size_t at, const Found& found)>& see,
          const std::function<void(std::string_view)>& other) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto found = address_at(text, at);
        if (!found) {
            const std::size_t word = at;
            while (at < text.size() && is_word(text[at])) {
                ++at;
            }
            at += at == word ? 1 : 0;
            continue;
        }
        other(text.substr(begin, at - begin));
        see(at, *found);
        at = begin = found->end;
    }
    other(text.substr(begin));
}

std::string place_of(std::string_view text, const std::string& name, std::size_t at) {
    const auto lines =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return name + ":" + std::to_string(lines + 1) + ": ";
}

std::string rest_of_line(std::string_view text, std::size_t at) {
    return std::string(text.substr(at, std::min(text.find('\n', at) - at, std::size_t{60})));
}

// How many backslashes stand before `at`, from `begin` on.
std::size_t backslashes_before(std::string_view text, std::size_t at, std::size_t begin) {
    std::size_t count = 0;
    while (at - count > begin && text[at - count - 1] == '\\') {
        ++count;
    }
    return count;
}

// The end of a remark whose quote opens before `begin`. In a string of JSON its own backslashes and
// quotes have backslashes before them; a quote without one is the end of that string.
std::size_t end_of_quoted(std::string_view text, std::size_t begin, bool in_json) {
    for (std::size_t at = text.find('"', begin); at != std::string_view::npos;
         at = text.find('"', at + 1)) {
        const std::size_t count = backslashes_before(text, at, begin);
        if (in_json && count % 2 == 0) {
            return at;
        }
        if ((in_json ? count / 2 : count) % 2 == 0) {
            return at + 1;
        }
    }
    return text.size();
}

// What a rule says of a remark, up to its end: behind `at` comes what it is quoted with.
std::size_t end_of_remark(std::string_view text, std::size_t at) {
    if (text.substr(at).starts_with("\\\"")) {
        return end_of_quoted(text, at + 2, true);
    }
    if (text.substr(at).starts_with('"')) {
        return end_of_quoted(text, at + 1, false);
    }
    return std::min(text.find_first_of(" \n\"", at), text.size());
}

std::string without_remarks(std::string_view text) {
    std::string out;
    constexpr std::string_view kWord = "comment";
    std::size_t at = 0;
    for (std::size_t found = text.find(kWord); found != std::string_view::npos;
         found = text.find(kWord, at)) {
        std::size_t begin = found + kWord.size();
        const std::size_t value = std::min(text.find_first_not_of(" =", begin), text.size());
        out += text.substr(at, value - at);
        at = value;
        const bool option = found >= 2 && text.substr(found - 2, 2) == "--";
        const std::string_view rest = text.substr(value);
        const bool quoted = rest.starts_with("\"") || rest.starts_with("\\\"");
        if (value != begin && (quoted || option)) {
            out += rest.starts_with("\\") ? "\\\"left out\\\""
                   : quoted               ? "\"left out\""
                                          : "left-out";
            at = end_of_remark(text, value);
        }
    }
    return out + std::string(text.substr(at));
}

}  // namespace

void keep_networks(std::string_view text, Anonymizer& anonymizer) {
    walk(
        text,
        [&](std::size_t, const Found& found) {
            const Prefix prefix{found.address, static_cast<std::uint8_t>(found.length.value_or(0))};
            if (found.length && prefix.length < found.address.bits()) {
                anonymizer.keep_ends(prefix);
            }
        },
        [](std::string_view) {});
}

std::string keep_ranges(std::string_view text, const std::string& name, Anonymizer& anonymizer) {
    std::string wrong;
    std::optional<Found> previous;
    walk(
        text,
        [&](std::size_t at, const Found& found) {
            const bool range = previous && previous->end + 1 == at && text[at - 1] == '-' &&
                               previous->address.family == found.address.family;
            const Prefix both = range ? common_prefix(previous->address, found.address) : Prefix{};
            const unsigned least = found.address.is_v4() ? kWidestRange4 : kWidestRange6;
            if (range && both.length < least && wrong.empty()) {
                wrong = place_of(text, name, at) + "the range " + to_string(previous->address) +
                        "-" + to_string(found.address) +
                        " is so wide that its order cannot be kept beside other addresses";
            } else if (range) {
                anonymizer.keep_below(both);
            }
            if (found.odd_mask && wrong.empty()) {
                wrong = place_of(text, name, at) +
                        "a mask that is no prefix asks for bits that do not stay: " +
                        rest_of_line(text, at);
            }
            previous = found;
        },
        [](std::string_view) {});
    for (const std::string_view match : {"-m u32 ", "-m bpf ", "-m string "}) {
        if (const std::size_t at = text.find(match);
            at != std::string_view::npos && wrong.empty()) {
            wrong = place_of(text, name, at) + std::string(match.substr(0, match.size() - 1)) +
                    " may have addresses in its numbers or bytes, which would stay";
        }
    }
    return wrong;
}

std::string anonymous_text(std::string_view given, const Anonymizer& anonymizer) {
    const std::string text = without_remarks(given);
    std::string out;
    walk(
        text,
        [&](std::size_t at, const Found& found) {
            const Prefix real{found.address, static_cast<std::uint8_t>(
                                                 found.length.value_or(found.address.bits()))};
            const IpAddress other =
                found.length ? anonymizer.prefix(real).address : anonymizer.address(found.address);
            out += other == found.address ? text.substr(at, found.end - at) : to_string(other);
        },
        [&](std::string_view between) { out += between; });
    return out;
}

std::string without_comment_lines(std::string_view text) {
    std::string out;
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t first = line.find_first_not_of(" \t");
        const bool comment =
            first != std::string_view::npos && (line[first] == '#' || line[first] == ';');
        out += comment ? "#" : std::string(line);
        out += '\n';
    }
    if (!out.empty()) {
        out.pop_back();
    }
    return out;
}

std::string without_toml_comments(std::string_view text) {
    std::string out;
    std::string_view quote;  // that the string at hand ends with; empty: none
    for (std::size_t at = 0; at < text.size();) {
        std::size_t take = 1;
        if (!quote.empty()) {
            const bool escaped = quote.front() == '"' && text[at] == '\\';
            const bool ends = text.substr(at).starts_with(quote);
            take = escaped ? 2 : ends ? quote.size() : 1;
            quote = ends ? std::string_view() : quote;
        } else if (text[at] == '#') {
            at = std::min(text.find('\n', at), text.size());
            continue;
        } else {
            for (const std::string_view begin : {"\"\"\"", "'''", "\"", "'"}) {
                if (text.substr(at).starts_with(begin)) {
                    quote = begin;
                    take = begin.size();
                    break;
                }
            }
        }
        out += text.substr(at, take);
        at += take;
    }
    return out;
}

}  // namespace nsr::router
