// -m hashlimit: a token bucket for every address, port or pair of them.
// kernel: xt_hashlimit.c, revision 3
#include <algorithm>
#include <array>

#include "core/rules/matches/memory/byte_rate.hpp"
#include "core/rules/matches/memory/hashlimit_table.hpp"
#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/matches/memory/rate.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kHashlimitOptions = std::to_array<OptionSpec>({
    {"hashlimit-upto", 1, true},
    {"hashlimit", 1, true, "hashlimit-upto"},
    {"hashlimit-above", 1, true},
    {"hashlimit-burst"},
    {"hashlimit-mode"},
    {"hashlimit-srcmask"},
    {"hashlimit-dstmask"},
    {"hashlimit-name"},
    {"hashlimit-htable-size"},
    {"hashlimit-htable-max"},
    {"hashlimit-htable-expire"},
    {"hashlimit-htable-gcinterval"},
    {"hashlimit-rate-match", 0},
    {"hashlimit-rate-interval"},
});
// In the order in which iptables-save writes them.
constexpr std::array<std::pair<std::string_view, bool HashlimitConfig::*>, 4> kModes = {
    {{"srcip", &HashlimitConfig::by_source},
     {"srcport", &HashlimitConfig::by_source_port},
     {"dstip", &HashlimitConfig::by_destination},
     {"dstport", &HashlimitConfig::by_destination_port}}};
// Of a price of 1 the kernel's credits are 0. kernel: user2credits_byte
constexpr std::uint32_t kFastestChunkPrice = 2;    // 32 GB/s
constexpr std::uint64_t kMostTableSize = 1048576;  // kernel: HASHLIMIT_MAX_SIZE
constexpr std::uint32_t kDefaultSweepMs = 1000;
constexpr std::uint64_t kMostBurst = 1000000;
constexpr std::size_t kMostName = 254;

// Of "10/min": 60. Precondition: it is a rate.
std::uint32_t seconds_of_unit(std::string_view rate) {
    const std::size_t slash = rate.find('/');
    const std::string unit = lower(slash == std::string_view::npos ? "s" : rate.substr(slash + 1));
    constexpr std::array<std::pair<char, std::uint32_t>, 4> kSeconds = {
        {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
    return std::find_if(kSeconds.begin(), kSeconds.end(),
                        [&](const auto& row) { return row.first == unit[0]; })
        ->second;
}

constexpr std::uint32_t byte_expiry(bool burst) {
    return burst ? 60 : 15;  // seconds
}

class HashlimitMatch : public StatefulMatch<HashlimitTable> {
  public:
    HashlimitMatch() : StatefulMatch("hashlimit") {}
    std::string save() const override;
    // kernel: htable_find_get
    std::string shared_name() const override {
        return (family == Family::Ipv6 ? "hashlimit6/" : "hashlimit4/") + name;
    }

    HashlimitConfig config;
    bool above = false;
    std::string name;
    Family family = Family::Ipv4;  // each has tables of its own
    std::uint64_t table_size = 0;  // 0: not given
    std::uint64_t table_max = 0;
    std::uint64_t sweep_ms = kDefaultSweepMs;

  private:
    HashlimitTable first_state() const override { return HashlimitTable(config); }
    MatchResult test(ActionParam& par, HashlimitTable& limits) const override;
    [[nodiscard]] std::string limit_text() const;
    [[nodiscard]] std::string table_text() const;
    [[nodiscard]] std::uint32_t expiry_of_text() const;
};

std::string HashlimitMatch::limit_text() const {
    if (!config.bytes) {
        return rate_text(config.period, HashlimitConfig::kScale) + " --hashlimit-burst " +
               std::to_string(config.burst);
    }
    const std::uint64_t rate = bytes_per_second(config.period);
    const auto same = [&](std::uint64_t rounded) {
        return seconds_of(rounded, rate) == config.burst;
    };
    return byte_rate_text(config.period) + "/s" +
           (config.burst == 0 ? "" : " --hashlimit-burst " + bytes_text(config.burst * rate, same));
}

// What a table has whose rule says no more than limit_text(), in milliseconds.
// libxt_hashlimit: print_rate, print_bytes
std::uint32_t HashlimitMatch::expiry_of_text() const {
    return 1000 * (config.bytes
                       ? byte_expiry(config.burst != 0)
                       : seconds_of_unit(rate_text(config.period, HashlimitConfig::kScale)));
}

std::string HashlimitMatch::table_text() const {
    std::string text;
    const auto add = [&](std::string_view option, std::uint64_t value, std::uint64_t silent) {
        if (value != silent) {
            append(text, "--hashlimit-htable-" + std::string(option) + " " + std::to_string(value));
        }
    };
    add("size", table_size, 0);
    add("max", table_max, 0);
    add("gcinterval", sweep_ms, kDefaultSweepMs);
    add("expire", config.expire_ms, expiry_of_text());
    return text;
}

std::string HashlimitMatch::save() const {
    std::string text =
        std::string(above ? "--hashlimit-above " : "--hashlimit-upto ") + limit_text();
    std::string modes;
    for (const auto& [mode, flag] : kModes) {
        if (config.*flag) {
            modes += (modes.empty() ? "" : ",") + std::string(mode);
        }
    }
    if (!modes.empty()) {
        append(text, "--hashlimit-mode " + modes);
    }
    append(text, "--hashlimit-name " + whole_word(name));
    if (const std::string table = table_text(); !table.empty()) {
        append(text, table);
    }
    const auto source_bits = prefix_length(config.source_mask);
    const auto destination_bits = prefix_length(config.destination_mask);
    if (source_bits != config.source_mask.bits()) {
        append(text, "--hashlimit-srcmask " + std::to_string(source_bits.value_or(0)));
    }
    if (destination_bits != config.destination_mask.bits()) {
        append(text, "--hashlimit-dstmask " + std::to_string(destination_bits.value_or(0)));
    }
    if (config.rate_match) {
        append(text, "--hashlimit-rate-match");
        if (config.interval != 1) {
            append(text, "--hashlimit-rate-interval " + std::to_string(config.interval));
        }
    }
    return text;
}

MatchResult HashlimitMatch::test(ActionParam& par, HashlimitTable& limits) const {
    const HashlimitTable::Answer answer = limits.charge(par);
    if (answer == HashlimitTable::Answer::HotDrop) {
        return MatchResult::HotDrop;
    }
    return yes_if((answer == HashlimitTable::Answer::Above) == above);
}

bool read_modes(const Options& options, const RuleContext& context, HashlimitMatch& match) {
    const GivenOption* given = options.find("hashlimit-mode");
    if (given == nullptr) {
        return true;
    }
    std::string list = given->value;
    std::replace(list.begin(), list.end(), '|', ',');
    for (const std::string_view word : tokens(list)) {
        const auto mode = std::find_if(kModes.begin(), kModes.end(),
                                       [&](const auto& row) { return row.first == word; });
        if (mode == kModes.end()) {
            context.error(*given, "unknown mode " + in_quotes(word) +
                                      "; known are srcip, srcport, dstip and dstport");
            return false;
        }
        match.config.*mode->second = true;
    }
    return true;
}

// Too great sizes are made less. kernel: hashlimit_mt_check_common
void read_table_options(const Options& options, const RuleContext& context, HashlimitMatch& match) {
    const auto read = [&](std::string_view name, std::uint64_t least, std::uint64_t absent) {
        return read_number(options, context, name, least, 0xffffffff).value_or(absent);
    };
    match.table_size = std::min(read("hashlimit-htable-size", 0, 0), kMostTableSize);
    match.table_max = std::min(read("hashlimit-htable-max", 0, 0), kMostTableSize);
    match.sweep_ms = read("hashlimit-htable-gcinterval", 1, kDefaultSweepMs);
    match.config.expire_ms =
        static_cast<std::uint32_t>(read("hashlimit-htable-expire", 1, match.config.expire_ms));
    const std::uint64_t size =
        match.table_size != 0 ? match.table_size : HashlimitConfig::kDefaultTableSize;
    match.config.most_keys = std::min(match.table_max != 0 ? std::max(match.table_max, size)
                                                           : HashlimitConfig::kKeysPerSlot * size,
                                      HashlimitConfig::kMostKeys);
}

// "5", "5k", "5kb", "5mb": a plain number is at most kMostBurst.
// libxt_hashlimit: parse_burst
std::optional<std::uint64_t> parse_burst(std::string_view text) {
    const auto number = parse_leading_number(text, kMaxBytes);
    if (!number || number->value == 0) {
        return std::nullopt;
    }
    if (number->rest.empty()) {
        return number->value <= kMostBurst ? std::optional(number->value) : std::nullopt;
    }
    const auto factor =
        bytes_of_unit(number->rest.ends_with('b') ? number->rest : std::string(number->rest) + "b");
    return factor && number->value <= kMaxBytes / *factor ? std::optional(number->value * *factor)
                                                          : std::nullopt;
}

// The burst of bytes counts in seconds at full rate.
bool read_byte_burst(const GivenOption& rate, const Options& options, const RuleContext& context,
                     HashlimitMatch& match) {
    match.config.burst = 0;
    const GivenOption* given = options.find("hashlimit-burst");
    match.config.expire_ms = 1000 * byte_expiry(given != nullptr);
    if (given == nullptr) {
        return true;
    }
    const std::uint64_t per_second = bytes_per_second(match.config.period);
    const std::uint64_t bytes = parse_burst(given->value).value_or(0);
    match.config.burst = seconds_of(bytes, per_second);
    if (bytes < per_second || match.config.burst * per_second > kMaxBytes) {
        context.error(*given, "with " + in_quotes(rate.value) +
                                  " a burst is a number of bytes from " +
                                  byte_rate_text(match.config.period) + " on, not " +
                                  in_quotes(given->value));
        return false;
    }
    return true;
}

bool read_byte_rate(const GivenOption& given, std::uint64_t rate, const Options& options,
                    const RuleContext& context, HashlimitMatch& match) {
    match.config.bytes = true;
    match.config.period = chunk_price(rate);
    const std::uint32_t least = options.has("hashlimit-rate-match") ? 1 : kFastestChunkPrice;
    if (rate >> kChunkShift == 0 || match.config.period < least) {
        context.error(given, in_quotes(given.value) + " is not a rate from " +
                                 byte_rate_text(chunk_price(1u << kChunkShift)) + "/s to " +
                                 byte_rate_text(least) + "/s");
        return false;
    }
    return read_byte_burst(given, options, context, match);
}

bool read_rate(const GivenOption& given, const Options& options, const RuleContext& context,
               HashlimitMatch& match) {
    if (const auto rate = parse_byte_rate(given.value)) {
        return read_byte_rate(given, *rate, options, context, match);
    }
    const auto period = parse_rate(given.value, HashlimitConfig::kScale);
    if (!period) {
        context.error(
            given, in_quotes(given.value) + " is not a rate such as 5/second, 1/hour or 512kb/s");
        return false;
    }
    match.config.period = *period;
    match.config.expire_ms = 1000 * seconds_of_unit(given.value);
    if (const GivenOption* option = options.find("hashlimit-burst")) {
        match.config.burst = parse_burst(option->value).value_or(0);
        if (match.config.burst == 0 || match.config.burst > kMostBurst) {
            context.error(*option, "--hashlimit-burst needs a number from 1 to 1000000, not " +
                                       in_quotes(option->value));
            return false;
        }
    }
    // The kernel's counter overflows, and only what comes out less than one packet's credits is
    // refused. kernel: hashlimit_mt_check_common
    const std::uint64_t cost = *period * HashlimitConfig::kCreditsPerUnit;
    if (!options.has("hashlimit-rate-match") && match.config.most_credit() < cost) {
        context.error(given,
                      "rate and burst are too great together; the kernel's counter would overflow");
        return false;
    }
    return true;
}

// "10/min" is then 10 per second, over a minute. libxt_hashlimit: hashlimit_mt_check
bool read_rate_match(const GivenOption& rate, const Options& options, const RuleContext& context,
                     HashlimitMatch& match) {
    std::optional<std::uint32_t> interval;
    if (const GivenOption* given = options.find("hashlimit-rate-interval")) {
        constexpr std::uint32_t kLongest = 0x7fffffff;
        const auto number = parse_leading_decimal(given->value, kLongest);
        if (!number || !number->rest.empty() || number->value == 0) {
            context.error(*given,
                          "--hashlimit-rate-interval needs a number from 1 to 2147483647,"
                          " not " +
                              in_quotes(given->value));
            return false;
        }
        interval = static_cast<std::uint32_t>(number->value);
    }
    if (!options.has("hashlimit-rate-match")) {
        return true;
    }
    HashlimitConfig& config = match.config;
    const std::uint32_t unit = config.bytes ? 1 : seconds_of_unit(rate.value);
    config.rate_match = true;
    config.period /= unit;
    config.interval = interval.value_or(unit);
    if (config.period == 0) {
        context.error(rate, in_quotes(rate.value) + " is too fast for --hashlimit-rate-match");
        return false;
    }
    return true;
}

// It is that of a file in /proc. kernel: xt_check_proc_name
bool read_name(const GivenOption& given, const RuleContext& context, HashlimitMatch& match) {
    match.name = given.value.substr(0, kMostName);
    const bool usable = !match.name.empty() && match.name != "." && match.name != ".." &&
                        match.name.find('/') == std::string::npos;
    if (!usable) {
        context.error(given,
                      in_quotes(given.value) + " is not the name of a table: it has no \"/\"");
    }
    return usable;
}

std::shared_ptr<const Match> parse_hashlimit(const Options& options, RuleContext& context) {
    const GivenOption* upto = options.find("hashlimit-upto");
    const GivenOption* above = options.find("hashlimit-above");
    const GivenOption* name = options.find("hashlimit-name");
    if ((upto == nullptr) == (above == nullptr) || name == nullptr) {
        context.error(
            "match \"hashlimit\" needs --hashlimit-name, and one of --hashlimit-upto and"
            " --hashlimit-above");
        return nullptr;
    }
    const GivenOption& given = upto != nullptr ? *upto : *above;
    auto match = std::make_shared<HashlimitMatch>();
    if (!read_rate(given, options, context, *match) || !read_name(*name, context, *match)) {
        return nullptr;
    }
    match->above = (above != nullptr) != given.inverted;
    match->family = context.family;
    const auto mask = [&](std::string_view option) {
        const GivenOption* length = options.find(option);
        const unsigned all = context.v6() ? 128 : 32;
        const auto bits = length == nullptr ? std::optional(all)
                                            : parse_prefix_length(length->value, context.family);
        if (!bits) {
            context.error(*length, in_quotes(length->value) + " is not the length of a prefix");
        }
        return mask_of(context.family, bits.value_or(all));
    };
    match->config.source_mask = mask("hashlimit-srcmask");
    match->config.destination_mask = mask("hashlimit-dstmask");
    read_table_options(options, context, *match);
    const bool ok =
        read_rate_match(given, options, context, *match) && read_modes(options, context, *match);
    return ok ? match : nullptr;
}

}  // namespace

const MatchModule kHashlimitMatch = {"hashlimit", kBothFamilies, kHashlimitOptions,
                                     parse_hashlimit};

}  // namespace nsr::rules
