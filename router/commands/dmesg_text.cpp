#include "router/commands/dmesg_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace nsr::router {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::array<std::string_view, 8> kLevels = {"emerg", "alert",  "crit", "err",
                                                     "warn",  "notice", "info", "debug"};

struct Line {
    unsigned level = 0;
    std::int64_t us = 0;
    std::string_view text;
};

// What does not look like a line of ours is shown as it is.
std::optional<Line> read(std::string_view raw) {
    Line line;
    std::int64_t seconds = 0;
    std::int64_t fraction = 0;
    const auto number = [&raw](auto& into, char end) {
        raw.remove_prefix(std::min(raw.find_first_not_of(' '), raw.size()));
        const auto [stop, error] = std::from_chars(raw.data(), raw.data() + raw.size(), into);
        const bool good = error == std::errc{} && stop != raw.data() + raw.size() && *stop == end;
        raw.remove_prefix(good ? static_cast<std::size_t>(stop - raw.data()) + 1 : 0);
        return good;
    };
    const auto skip = [&raw](char c) {
        const bool is_next = raw.starts_with(c);
        raw.remove_prefix(is_next ? 1 : 0);
        return is_next;
    };
    if (!skip('<') || !number(line.level, '>') || line.level >= kLevels.size() || !skip('[') ||
        !number(seconds, '.') || !number(fraction, ']')) {
        return std::nullopt;
    }
    skip(' ');
    line.us = seconds * kSecond + fraction;
    line.text = raw;
    return line;
}

template <class... Values>
std::string printed(const char* format, Values... values) {
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), format, values...);
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string local(std::int64_t us, const char* format) {
    const std::time_t time = us / kSecond;
    std::tm parts{};
    ::localtime_r(&time, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

double seconds(std::int64_t us) {
    return static_cast<double>(us) / static_cast<double>(kSecond);
}

}  // namespace

std::optional<unsigned> parse_levels(std::string_view names, std::string& unknown) {
    unsigned levels = 0;
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find(',', at), names.size());
        const std::string_view name = names.substr(at, end - at);
        const auto found = std::find(kLevels.begin(), kLevels.end(), name);
        if (found == kLevels.end()) {
            unknown = name;
            return std::nullopt;
        }
        levels |= 1U << (found - kLevels.begin());
        at = end + 1;
    }
    return levels;
}

std::string DmesgText::line(std::string_view raw) {
    const auto line = read(raw);
    if (!line) {
        return std::string(raw) + "\n";
    }
    if ((form_.levels >> line->level & 1) == 0) {
        return {};
    }
    if (form_.raw) {
        return std::string(raw) + "\n";
    }
    const std::string stamped = stamp(line->us);
    last_us_ = line->us;
    std::string out;
    if (form_.decode) {
        out = printed("kern  :%-6s: ", kLevels[line->level].data());
    }
    return out + stamped + std::string(line->text) + "\n";
}

std::string DmesgText::stamp(std::int64_t us) {
    const std::int64_t wall = form_.boot_us + us;
    const double delta = seconds(last_us_ ? us - *last_us_ : 0);
    switch (form_.time) {
        case Time::None:
            return {};
        case Time::Ctime:
            return local(wall, "[%a %b %e %H:%M:%S %Y] ");
        case Time::CtimeDelta:
            return local(wall, "[%a %b %e %H:%M:%S %Y") + printed(" <%12.06f>] ", delta);
        case Time::Delta:
            return printed("[%5d.%06d <%12.06f>] ", static_cast<int>(us / kSecond),
                           static_cast<int>(us % kSecond), delta);
        case Time::Relative: {
            constexpr std::int64_t kMinute = 60 * kSecond;
            const bool same_minute = last_minute_ == wall / kMinute;
            last_minute_ = wall / kMinute;
            if (!same_minute) {
                return local(wall, "[%b%e %H:%M] ");
            }
            return printed(delta < 10 ? "[  %+8.6f] " : "[ %+9.6f] ", delta);
        }
        case Time::Iso: {
            std::string zone = local(wall, "%z");
            zone.insert(zone.size() - 2, ":");
            return local(wall, "%Y-%m-%dT%H:%M:%S") +
                   printed(",%06d", static_cast<int>(wall % kSecond)) + zone + " ";
        }
        case Time::Default:
            break;
    }
    return printed("[%5d.%06d] ", static_cast<int>(us / kSecond), static_cast<int>(us % kSecond));
}

}  // namespace nsr::router
