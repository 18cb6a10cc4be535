// -j HMARK: a mark computed from addresses and ports.
// kernel: xt_HMARK.c
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

// Each word of --hmark-tuple is short for an option with everything in it.
bool read_tuple(const Options& options, const RuleContext& context, HmarkConfig& config) {
    const GivenOption* given = options.find("hmark-tuple");
    if (given == nullptr) {
        return true;
    }
    const IpAddress whole = mask_of(context.family, context.v6() ? 128 : 32);
    for (const std::string_view word : split(given->value, ',')) {
        if (word == "ct") {
            config.tracked = true;
        } else if (word == "src") {
            config.source_mask = whole;
        } else if (word == "dst") {
            config.destination_mask = whole;
        } else if (word == "sport") {
            config.source_port_mask = 0xffff;
        } else if (word == "dport") {
            config.destination_port_mask = 0xffff;
        } else if (word == "spi") {
            config.spi_mask = 0xffffffff;
        } else if (word == "proto") {
            config.protocol_mask = 0xffff;
        } else {
            context.error(*given, "unknown part " + in_quotes(word) +
                                      " of a tuple; known are src, dst, sport, dport, spi, proto"
                                      " and ct");
            return false;
        }
    }
    return true;
}

bool read_prefix(const Options& options, const RuleContext& context, std::string_view name,
                 std::optional<IpAddress>& mask) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    const std::string any = context.v6() ? "::/" : "0.0.0.0/";
    const auto parsed = parse_masked_address(any + given->value, context.family);
    if (!parsed || !prefix_length(parsed->mask) || mask) {
        context.error(*given, "--" + std::string(name) +
                                  " needs the length of a prefix, and not "
                                  "beside its word in --hmark-tuple");
        return false;
    }
    mask = parsed->mask;
    return true;
}

bool read_numbers(const Options& options, const RuleContext& context, HmarkConfig& config) {
    for (const NumberOption& number : kNumbers) {
        if (!options.has(number.name)) {
            continue;
        }
        if (config.*number.member) {
            context.error("--" + std::string(number.name) +
                          " cannot stand beside its word in --hmark-tuple");
            return false;
        }
        const std::uint64_t least = number.name == "hmark-mod" ? 1 : 0;
        const auto value = read_number(options, context, number.name, least, number.most);
        if (!value) {
            return false;
        }
        config.*number.member = static_cast<std::uint32_t>(*value);
    }
    return true;
}

// kernel: hmark_tg_check
bool is_complete(const RuleContext& context, const HmarkConfig& config) {
    const bool ports = config.source_port || config.destination_port || config.source_port_mask ||
                       config.destination_port_mask;
    const bool spi = config.spi || config.spi_mask;
    if (!config.modulus || !config.seed) {
        context.error("target HMARK needs --hmark-mod and --hmark-rnd");
    } else if (!config.tracked && !config.source_mask && !config.destination_mask && !ports &&
               !spi && !config.protocol_mask) {
        context.error("target HMARK needs --hmark-tuple or one of its parts");
    } else if (ports && spi) {
        context.error("ports and SPI exclude each other: they lie at the same place");
    } else {
        return true;
    }
    return false;
}

std::shared_ptr<const Target> parse_hmark(const Options& options, RuleContext& context) {
    auto target = std::make_shared<HmarkTarget>();
    HmarkConfig& config = target->config;
    const bool ok = read_tuple(options, context, config) &&
                    read_prefix(options, context, "hmark-src-prefix", config.source_mask) &&
                    read_prefix(options, context, "hmark-dst-prefix", config.destination_mask) &&
                    read_numbers(options, context, config) && is_complete(context, config);
    return ok ? target : nullptr;
}

}  // namespace

const TargetModule kHmarkTarget = {"HMARK", kBothFamilies, kHmarkOptions, parse_hmark};

}  // namespace nsr::rules
