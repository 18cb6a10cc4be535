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
constexpr std::uint32_t kFastestChunkPrice = 16;  // 4 GB/s

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
    std::string table_options;     // as they were given

  private:
    HashlimitTable first_state() const override { return HashlimitTable(config); }
    MatchResult test(ActionParam& par, HashlimitTable& limits) const override;
    [[nodiscard]] std::string limit_text() const;
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
    if (!table_options.empty()) {
        append(text, table_options);
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
    for (const std::string_view word : split(given->value, ',')) {
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

void read_table_options(const Options& options, const RuleContext& context, HashlimitMatch& match) {
    for (const std::string_view name : {"hashlimit-htable-size", "hashlimit-htable-max",
                                        "hashlimit-htable-gcinterval", "hashlimit-htable-expire"}) {
        if (const auto value = read_number(options, context, name, 1, 0xffffffff)) {
            append(match.table_options, "--" + std::string(name) + " " + std::to_string(*value));
        }
    }
    const std::uint64_t size = read_number(options, context, "hashlimit-htable-size", 1, 0xffffffff)
                                   .value_or(HashlimitConfig::kDefaultTableSize);
    const auto max = read_number(options, context, "hashlimit-htable-max", 1, 0xffffffff);
    match.config.most_keys =
        std::min(max ? std::max(*max, size) : HashlimitConfig::kKeysPerSlot * size,
                 HashlimitConfig::kMostKeys);
    match.config.expire_ms = static_cast<std::uint32_t>(
        read_number(options, context, "hashlimit-htable-expire", 1, 0xffffffff)
            .value_or(HashlimitConfig::kDefaultExpireMs));
}

// The burst of bytes counts in seconds at full rate.
bool read_byte_burst(const GivenOption& rate, const Options& options, const RuleContext& context,
                     HashlimitMatch& match) {
    match.config.burst = 0;
    const GivenOption* given = options.find("hashlimit-burst");
    if (given == nullptr) {
        return true;
    }
    const std::uint64_t per_second = bytes_per_second(match.config.period);
    const auto plain = parse_number(given->value, kMaxBytes);
    const std::uint64_t bytes = plain ? *plain : parse_bytes(given->value).value_or(0);
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
    if (rate >> kChunkShift == 0 || match.config.period < kFastestChunkPrice) {
        context.error(given, in_quotes(given.value) + " is not a rate from " +
                                 byte_rate_text(chunk_price(1u << kChunkShift)) + "/s to " +
                                 byte_rate_text(kFastestChunkPrice) + "/s");
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
    match.config.burst = read_number(options, context, "hashlimit-burst", 1, 1000000)
                             .value_or(HashlimitConfig::kDefaultBurst);
    if (*period > ~std::uint64_t{0} / HashlimitConfig::kCreditsPerUnit / match.config.burst) {
        context.error(given,
                      "rate and burst are too great together; the kernel's counter would overflow");
        return false;
    }
    return true;
}

// Of "10/min": 60. Precondition: it is a rate.
std::uint32_t seconds_of_unit(std::string_view rate) {
    const std::size_t slash = rate.find('/');
    const std::string unit = lower(slash == std::string_view::npos ? "s" : rate.substr(slash + 1));
    return unit[0] == 'd' ? 86400 : unit[0] == 'h' ? 3600 : unit[0] == 'm' ? 60 : 1;
}

// "10/min" is then 10 per second, over a minute. libxt_hashlimit: hashlimit_mt_check
bool read_rate_match(const GivenOption& rate, const Options& options, const RuleContext& context,
                     HashlimitMatch& match) {
    if (!options.has("hashlimit-rate-match")) {
        return true;
    }
    HashlimitConfig& config = match.config;
    const std::uint32_t unit = config.bytes ? 1 : seconds_of_unit(rate.value);
    config.rate_match = true;
    config.period /= unit;
    config.interval = unit;
    if (config.period == 0) {
        context.error(rate, in_quotes(rate.value) + " is too fast for --hashlimit-rate-match");
        return false;
    }
    if (unit != 1 && !options.has("hashlimit-htable-expire")) {
        config.expire_ms = unit * 1000;
        append(match.table_options,
               "--hashlimit-htable-expire " + std::to_string(config.expire_ms));
    }
    if (options.has("hashlimit-rate-interval")) {
        const auto given = read_number(options, context, "hashlimit-rate-interval", 1, 0xffffffff);
        config.interval = static_cast<std::uint32_t>(given.value_or(0));
    }
    return config.interval != 0;
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
    if (!read_rate(given, options, context, *match)) {
        return nullptr;
    }
    match->above = (above != nullptr) != given.inverted;
    match->name = name->value;
    match->family = context.family;
    const unsigned bits = context.v6() ? 128 : 32;
    const auto mask = [&](std::string_view option) {
        return mask_of(
            context.family,
            static_cast<unsigned>(read_number(options, context, option, 0, bits).value_or(bits)));
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
