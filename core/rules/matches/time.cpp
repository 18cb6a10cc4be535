// -m time: the hour, the day, the date at which a packet comes, in UTC.
// kernel: xt_time.c
#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <vector>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTimeOptions = std::to_array<OptionSpec>({
    {"timestart"},
    {"timestop"},
    {"datestart"},
    {"datestop"},
    {"monthdays", 1, true},
    {"weekdays", 1, true},
    {"contiguous", 0},
    {"kerneltz", 0},
    {"localtz", 0},
    {"utc", 0},
});
constexpr std::array<std::string_view, 7> kWeekdays = {"Mon", "Tue", "Wed", "Thu",
                                                       "Fri", "Sat", "Sun"};
constexpr std::uint32_t kSecondsPerDay = 86400;
constexpr std::uint32_t kAllMonthdays = 0xfffffffe;  // bit per day, from 1
constexpr std::uint32_t kAllWeekdays = 0xfe;         // bit per day, Monday is 1
constexpr std::int64_t kForever = 0x7fffffff;

class TimeMatch : public Match {
  public:
    TimeMatch() : Match("time") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    std::int64_t date_start = 0;
    std::int64_t date_stop = kForever;
    std::uint32_t time_start = 0;
    std::uint32_t time_stop = kSecondsPerDay - 1;
    std::uint32_t monthdays = kAllMonthdays;
    std::uint32_t weekdays = kAllWeekdays;
    bool contiguous = false;
    bool kernel_zone = false;
};

std::string two_digits(std::uint64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string clock_text(std::uint64_t seconds) {
    return two_digits(seconds / 3600) + ":" + two_digits(seconds / 60 % 60) + ":" +
           two_digits(seconds % 60);
}

std::string date_text(std::int64_t stamp) {
    const std::chrono::sys_seconds time{std::chrono::seconds(stamp)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    return std::to_string(static_cast<int>(date.year())) + "-" +
           two_digits(static_cast<unsigned>(date.month())) + "-" +
           two_digits(static_cast<unsigned>(date.day())) + "T" +
           clock_text(static_cast<std::uint64_t>((time - day).count()));
}

// Nothing if every day counts. Where none does, all of them negated say so.
// differs: saved-text-is-read-back
void append_days(std::string& text, std::string_view option, std::uint32_t days, std::uint32_t all,
                 const auto& name_of) {
    const std::uint32_t named = days == 0 ? all : days;
    std::string list;
    for (unsigned day = 1; day <= 31; ++day) {
        if ((named >> day & 1) != 0) {
            list += (list.empty() ? "" : ",") + name_of(day);
        }
    }
    if (days != all) {
        append(text, std::string(bang(days == 0)) + std::string(option) + list);
    }
}

std::string TimeMatch::save() const {
    std::string text;
    if (time_start != 0 || time_stop != kSecondsPerDay - 1) {
        append(text,
               "--timestart " + clock_text(time_start) + " --timestop " + clock_text(time_stop));
    }
    append_days(text, "--monthdays ", monthdays, kAllMonthdays,
                [](unsigned day) { return std::to_string(day); });
    append_days(text, "--weekdays ", weekdays, kAllWeekdays,
                [](unsigned day) { return std::string(kWeekdays[day - 1]); });
    if (date_start != 0) {
        append(text, "--datestart " + date_text(date_start));
    }
    append(text, "--datestop " + date_text(date_stop));  // differs: saved-text-is-read-back
    if (kernel_zone) {
        append(text, "--kerneltz");
    }
    if (contiguous) {
        append(text, "--contiguous");
    }
    return text;
}

// kernel: time_mt
MatchResult TimeMatch::test(ActionParam& par) const {
    using std::chrono::days;
    auto stamp = std::chrono::floor<std::chrono::seconds>(par.now.time_since_epoch());
    if (stamp.count() < date_start || stamp.count() > date_stop) {
        return MatchResult::No;
    }
    const auto of_day =
        static_cast<std::uint32_t>((stamp - std::chrono::floor<days>(stamp)).count());
    if (time_start < time_stop) {
        if (of_day < time_start || of_day > time_stop) {
            return MatchResult::No;
        }
    } else {
        if (of_day < time_start && of_day > time_stop) {
            return MatchResult::No;
        }
        // the hours after midnight belong to the day on which the range began
        if (contiguous && of_day <= time_stop) {
            stamp -= days(1);
        }
    }
    const std::chrono::sys_days day{std::chrono::floor<days>(stamp)};
    const unsigned weekday = std::chrono::weekday(day).iso_encoding();
    const auto monthday = static_cast<unsigned>(std::chrono::year_month_day(day).day());
    return yes_if((weekdays >> weekday & 1) != 0 && (monthdays >> monthday & 1) != 0);
}

// Numbers with one of `separators` between each other, at most as great as `most` has them: the
// first of them fill `fields`. Where there are no digits it is 0.
// libc: strtoul with base 10, as libxt_time uses it
std::optional<std::size_t> read_fields(std::string_view text, std::string_view separators,
                                       std::span<const std::uint64_t> most,
                                       std::span<std::uint64_t> fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto number = parse_leading_decimal(text, most[i]).value_or(LeadingNumber{0, text});
        fields[i] = number.value;
        if (number.rest.empty()) {
            return i + 1;
        }
        if (i == separators.size() || number.rest[0] != separators[i]) {
            return std::nullopt;
        }
        text = number.rest.substr(1);
    }
    return std::nullopt;
}

// "hh:mm" or "hh:mm:ss"
std::optional<std::uint32_t> parse_clock(std::string_view text) {
    constexpr std::array<std::uint64_t, 3> kMost = {23, 59, 59};
    std::array<std::uint64_t, 3> fields{};
    const auto read = read_fields(text, "::", kMost, fields);
    if (!read || *read < 2) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>((fields[0] * 60 + fields[1]) * 60 + fields[2]);
}

// "YYYY[-MM[-DD[Thh[:mm[:ss]]]]]". A month or day that there is not is refused.
// differs: strict-values
std::optional<std::int64_t> parse_date(std::string_view text) {
    constexpr std::array<std::uint64_t, 6> kMost = {2038, 12, 31, 23, 59, 59};
    std::array<std::uint64_t, 6> fields = {0, 1, 1, 0, 0, 0};
    if (!read_fields(text, "--T::", kMost, fields)) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(fields[0])),
                                           std::chrono::month(static_cast<unsigned>(fields[1])),
                                           std::chrono::day(static_cast<unsigned>(fields[2])));
    if (!date.ok() || fields[0] < 1970) {
        return std::nullopt;
    }
    const std::chrono::sys_seconds midnight = std::chrono::sys_days(date);
    return midnight.time_since_epoch().count() +
           static_cast<std::int64_t>((fields[3] * 60 + fields[4]) * 60 + fields[5]);
}

// The parts of a list between commas; nothing stands behind the last one. libxt_time: my_strseg
std::vector<std::string_view> days_in(std::string_view text) {
    if (text.ends_with(',')) {
        text.remove_suffix(1);
        return split(text, ',');
    }
    return text.empty() ? std::vector<std::string_view>{} : split(text, ',');
}

// "1,15"; 0 is no day and does no harm. libxt_time: time_parse_monthdays
std::optional<std::uint32_t> parse_monthdays(std::string_view text) {
    constexpr std::size_t kDigits = 2;  // the tool looks at no more. differs: strict-values
    std::uint32_t bits = 0;
    for (const std::string_view word : days_in(text)) {
        const auto number = word.empty() ? std::optional<std::uint64_t>(0) : parse_number(word, 31);
        if (!number || word.size() > kDigits) {
            return std::nullopt;
        }
        bits |= 1u << *number;
    }
    return bits & kAllMonthdays;
}

// "Mon,Tue", by their first two letters, or "1,2". libxt_time: time_parse_weekdays
std::optional<std::uint32_t> parse_weekdays(std::string_view text) {
    constexpr std::size_t kLooksAt = 3;
    std::uint32_t bits = 0;
    for (std::string_view word : days_in(text)) {
        auto number = parse_number(word, kWeekdays.size());
        const auto* name =
            std::find_if(kWeekdays.begin(), kWeekdays.end(), [&](std::string_view known) {
                return word.size() >= 2 && word.substr(0, 2) == known.substr(0, 2);
            });
        if (name != kWeekdays.end()) {
            number = static_cast<std::uint64_t>(name - kWeekdays.begin()) + 1;
        } else if (word.size() > kLooksAt) {
            return std::nullopt;
        }
        if (!number || *number == 0) {
            return std::nullopt;
        }
        bits |= 1u << *number;
    }
    return bits;
}

void read_days(const Options& options, const RuleContext& context, TimeMatch& match) {
    for (const bool week : {false, true}) {
        const GivenOption* given = options.find(week ? "weekdays" : "monthdays");
        if (given == nullptr) {
            continue;
        }
        const auto days = week ? parse_weekdays(given->value) : parse_monthdays(given->value);
        if (!days) {
            context.error(*given, in_quotes(given->value) + " is not a list of " +
                                      (week ? "weekdays such as Mon,Tue" : "days from 1 to 31"));
            continue;
        }
        const std::uint32_t all = week ? kAllWeekdays : kAllMonthdays;
        std::uint32_t& into = week ? match.weekdays : match.monthdays;
        into = given->inverted ? all & ~*days : *days;
    }
}

std::shared_ptr<const Match> parse_time(const Options& options, RuleContext& context) {
    auto match = std::make_shared<TimeMatch>();
    const std::size_t errors = context.errors.size();
    const auto read = [&](std::string_view name, auto parse, auto& into) {
        if (const GivenOption* given = options.find(name)) {
            const auto value = parse(given->value);
            if (value) {
                into = *value;
            } else {
                context.error(*given, in_quotes(given->value) +
                                          " is not a time such as 13:00 or a"
                                          " date such as 2030-01-31T13:00:00");
            }
        }
    };
    read("timestart", parse_clock, match->time_start);
    read("timestop", parse_clock, match->time_stop);
    read("datestart", parse_date, match->date_start);
    read("datestop", parse_date, match->date_stop);
    read_days(options, context, *match);
    match->contiguous = options.has("contiguous");
    match->kernel_zone = options.has("kerneltz") || options.has("localtz");
    if (match->kernel_zone && options.has("utc")) {
        context.error("--utc and --kerneltz exclude each other");
    }
    if (match->contiguous && match->time_start < match->time_stop) {
        context.error(
            "--contiguous is for times that end before they begin, such as 22:00 to 6:00");
    }
    return context.errors.size() == errors ? match : nullptr;
}

}  // namespace

const MatchModule kTimeMatch = {"time", kBothFamilies, kTimeOptions, parse_time};

}  // namespace nsr::rules
