// -j HMARK: a mark computed from addresses and ports.
// kernel: xt_HMARK.c
#include <algorithm>
#include <array>

#include "core/rules/targets/hmark_tuple.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kHmarkOptions = std::to_array<OptionSpec>({
    {"hmark-tuple"},
    {"hmark-src-prefix"},
    {"hmark-dst-prefix"},
    {"hmark-sport-mask"},
    {"hmark-dport-mask"},
    {"hmark-spi-mask"},
    {"hmark-sport"},
    {"hmark-dport"},
    {"hmark-spi"},
    {"hmark-proto-mask"},
    {"hmark-rnd"},
    {"hmark-mod"},
    {"hmark-offset"},
});

// Numbers, in the order in which iptables-save writes them behind the prefixes.
struct NumberOption {
    std::string_view name;
    std::optional<std::uint32_t> HmarkConfig::*member;
    std::uint64_t most;
    int digits;  // hexadecimal; 0: decimal
};
constexpr std::array kNumbers = std::to_array<NumberOption>({
    {"hmark-sport-mask", &HmarkConfig::source_port_mask, 0xffff, 4},
    {"hmark-dport-mask", &HmarkConfig::destination_port_mask, 0xffff, 4},
    {"hmark-spi-mask", &HmarkConfig::spi_mask, 0xffffffff, 8},
    {"hmark-sport", &HmarkConfig::source_port, 0xffff, 4},
    {"hmark-dport", &HmarkConfig::destination_port, 0xffff, 4},
    {"hmark-spi", &HmarkConfig::spi, 0xffffffff, 8},
    {"hmark-proto-mask", &HmarkConfig::protocol_mask, 0xffff, 2},
    {"hmark-rnd", &HmarkConfig::seed, 0xffffffff, 8},
    {"hmark-mod", &HmarkConfig::modulus, 0xffffffff, 0},
    {"hmark-offset", &HmarkConfig::offset, 0xffffffff, 0},
});

class HmarkTarget : public Target {
  public:
    HmarkTarget() : Target("HMARK") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict&) const override {
        if (const auto mark = config.mark_of(par)) {
            par.packet.meta.mark = *mark;
        }
        return TargetVerdict::Continue;
    }
    bool needs_tracking() const override { return config.tracked; }

    HmarkConfig config;
};

std::string number_text(std::uint32_t value, int digits) {
    if (digits == 0) {
        return std::to_string(value);
    }
    const std::string shown = hex(value).substr(2);
    const auto missing = std::max(0, digits - static_cast<int>(shown.size()));
    return "0x" + std::string(static_cast<std::size_t>(missing), '0') + shown;
}

std::string HmarkTarget::save() const {
    std::string text;
    const auto add_prefix = [&](std::string_view option, const std::optional<IpAddress>& mask) {
        if (mask) {
            append(text, option);
            append(text, std::to_string(prefix_length(*mask).value_or(0)));
        }
    };
    add_prefix("--hmark-src-prefix", config.source_mask);
    add_prefix("--hmark-dst-prefix", config.destination_mask);
    for (const NumberOption& number : kNumbers) {
        if (const auto& value = config.*number.member) {
            append(text, "--" + std::string(number.name));
            append(text, number_text(*value, number.digits));
        }
    }
    if (config.tracked) {
        append(text, "--hmark-tuple ct");
    }
    return text;
}

// One word of --hmark-tuple: short for an option with everything in it. A beginning of it is
// enough. libxt_HMARK: hmark_parse
bool read_part(std::string_view word, const RuleContext& context, HmarkConfig& config) {
    const std::string name = lower(word);
    const auto is = [&](std::string_view part) { return !name.empty() && part.starts_with(name); };
    const IpAddress whole = mask_of(context.family, context.v6() ? 128 : 32);
    if (is("ct")) {
        config.tracked = true;
    } else if (is("src")) {
        config.source_mask = whole;
    } else if (is("dst")) {
        config.destination_mask = whole;
    } else if (is("sport")) {
        config.source_port_mask = 0xffff;
    } else if (is("dport")) {
        config.destination_port_mask = 0xffff;
    } else if (is("proto")) {
        config.protocol_mask = 0xffff;
    } else if (is("spi")) {
        config.spi_mask = 0xffffffff;
    } else {
        return false;
    }
    return true;
}

bool read_tuple(const GivenOption& given, const RuleContext& context, HmarkConfig& config) {
    for (const std::string_view word : split(given.value, ',')) {
        if (!read_part(word, context, config)) {
            context.error(given, "unknown part " + in_quotes(word) +
                                     " of a tuple; known are src, dst, sport, dport, spi, proto"
                                     " and ct");
            return false;
        }
    }
    return true;
}

bool read_prefix(const GivenOption& given, const RuleContext& context,
                 std::optional<IpAddress>& mask) {
    const auto length = parse_prefix_length(given.value, context.family);
    if (!length) {
        context.error(given, "--" + std::string(given.name) +
                                 " needs the length of a prefix, not " + in_quotes(given.value));
        return false;
    }
    mask = mask_of(context.family, *length);
    return true;
}

// Options count in the order in which they are given: --hmark-tuple goes over what stands before
// it, and does not let its parts be given again.
bool read_option(const GivenOption& given, const Options& options, const RuleContext& context,
                 HmarkConfig& config) {
    const auto is_free = [&](const auto& part) {
        if (part) {
            context.error(given, "--" + std::string(given.name) +
                                     " cannot stand behind its word in --hmark-tuple");
        }
        return !part;
    };
    if (given.name == "hmark-tuple") {
        return read_tuple(given, context, config);
    }
    if (given.name.ends_with("prefix")) {
        auto& mask =
            given.name == "hmark-src-prefix" ? config.source_mask : config.destination_mask;
        return is_free(mask) && read_prefix(given, context, mask);
    }
    const auto* number =
        std::find_if(kNumbers.begin(), kNumbers.end(),
                     [&](const NumberOption& row) { return row.name == given.name; });
    const std::uint64_t least = given.name == "hmark-mod" ? 1 : 0;
    if (!is_free(config.*number->member)) {
        return false;
    }
    const auto value = read_number(options, context, given.name, least, number->most);
    config.*number->member = static_cast<std::uint32_t>(value.value_or(0));
    return value.has_value();
}

// kernel: hmark_tg_check
bool is_complete(const RuleContext& context, const HmarkConfig& config) {
    const bool port_masks = config.source_port_mask || config.destination_port_mask;
    const bool ports = config.source_port || config.destination_port;
    if (!config.modulus || !config.seed) {
        context.error("target HMARK needs --hmark-mod and --hmark-rnd");
    } else if (!config.tracked && !config.source_mask && !config.destination_mask && !ports &&
               !port_masks && !config.spi && !config.spi_mask && !config.protocol_mask) {
        context.error("target HMARK needs --hmark-tuple or one of its parts");
    } else if ((port_masks && config.spi_mask) || (ports && config.spi)) {
        context.error("ports and SPI exclude each other: they lie at the same place");
    } else {
        return true;
    }
    return false;
}

std::shared_ptr<const Target> parse_hmark(const Options& options, RuleContext& context) {
    auto target = std::make_shared<HmarkTarget>();
    for (const GivenOption& given : options.given) {
        if (!read_option(given, options, context, target->config)) {
            return nullptr;
        }
    }
    return is_complete(context, target->config) ? target : nullptr;
}

}  // namespace

const TargetModule kHmarkTarget = {"HMARK", kBothFamilies, kHmarkOptions, parse_hmark};

}  // namespace nsr::rules
