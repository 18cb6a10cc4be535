// -j TTL, HL, TOS, DSCP, ECN: changes of header fields.
// kernel: xt_HL.c, xt_DSCP.c, ipt_ECN.c
#include <algorithm>
#include <array>

#include "core/packet/rewrite.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"
#include "core/rules/words/tos.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

namespace {

constexpr std::uint8_t kMangleTable = bit(TableId::Mangle);

constexpr std::array kTtlOptions =
    std::to_array<OptionSpec>({{"ttl-set"}, {"ttl-inc"}, {"ttl-dec"}});
constexpr std::array kHlOptions = std::to_array<OptionSpec>({{"hl-set"}, {"hl-inc"}, {"hl-dec"}});

class TtlTarget : public Target {
  public:
    TtlTarget(std::string_view name, std::string_view option, int value)
        : Target(name), option_(option), value_(value) {}
    std::string save() const override { return "--" + option_ + " " + std::to_string(value_); }
    TargetVerdict apply(ActionParam& par, TableVerdict&) const override {
        Packet& packet = par.packet;
        const int now = packet.layout.ttl;
        const int wanted = wanted_ttl(now);
        if (wanted != now) {
            rewrite::set_ttl(packet, static_cast<std::uint8_t>(wanted));
        }
        return TargetVerdict::Continue;
    }

  private:
    int wanted_ttl(int now) const {
        if (option_.ends_with("-set")) {
            return value_;
        }
        return option_.ends_with("-inc") ? std::min(now + value_, 255) : std::max(now - value_, 0);
    }

    std::string option_;
    int value_;
};

std::shared_ptr<const Target> parse_ttl(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        const std::string name = lower(options.module);
        context.error("target " + std::string(options.module) + " needs exactly one of --" + name +
                      "-set, --" + name + "-inc and --" + name + "-dec");
        return nullptr;
    }
    const std::string_view option = options.given[0].name;
    const auto value = read_number(options, context, option, option.ends_with("-set") ? 0 : 1, 255);
    return value ? std::make_shared<TtlTarget>(options.module, option, static_cast<int>(*value))
                 : nullptr;
}

constexpr std::array kTosOptions =
    std::to_array<OptionSpec>({{"set-tos"}, {"and-tos"}, {"or-tos"}, {"xor-tos"}});
constexpr std::array kDscpOptions = std::to_array<OptionSpec>({{"set-dscp"}, {"set-dscp-class"}});
constexpr std::uint8_t kDscpMask = 0xfc;

// tos = (tos & ~mask) ^ value
class TosTarget : public Target {
  public:
    TosTarget(std::string_view name, TosMask tos) : Target(name), tos_(tos) {}
    std::string save() const override {
        if (name() == "DSCP") {
            return "--set-dscp " + hex2(static_cast<std::uint8_t>(tos_.value >> 2));
        }
        return "--set-tos " + hex2(tos_.value) + "/" + hex2(tos_.mask);
    }
    TargetVerdict apply(ActionParam& par, TableVerdict&) const override {
        Packet& packet = par.packet;
        const auto wanted =
            static_cast<std::uint8_t>((packet.layout.tos & ~tos_.mask) ^ tos_.value);
        if (wanted != packet.layout.tos) {
            rewrite::set_tos(packet, wanted);
        }
        return TargetVerdict::Continue;
    }

  private:
    TosMask tos_;
};

std::shared_ptr<const Target> parse_tos_target(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        context.error("target TOS needs exactly one of --set-tos, --and-tos, --or-tos, --xor-tos");
        return nullptr;
    }
    const GivenOption& given = options.given[0];
    auto tos = parse_tos(given.value);
    if (!tos || (given.name != "set-tos" && !parse_number(given.value, 0xff))) {
        context.error(given, in_quotes(given.value) + " is not a value of the TOS byte");
        return nullptr;
    }
    if (given.name == "and-tos") {
        tos = TosMask{0, static_cast<std::uint8_t>(~tos->value)};
    } else if (given.name == "or-tos") {
        tos->mask = tos->value;
    } else if (given.name == "xor-tos") {
        tos->mask = 0;
    }
    return std::make_shared<TosTarget>("TOS", *tos);
}

std::shared_ptr<const Target> parse_dscp_target(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        context.error("target DSCP needs --set-dscp or --set-dscp-class");
        return nullptr;
    }
    const GivenOption& given = options.given[0];
    std::optional<std::uint64_t> value;
    if (given.name == "set-dscp") {
        value = read_number(options, context, "set-dscp", 0, 63);
    } else if (value = parse_dscp_class(given.value); !value) {
        context.error(given, "unknown DSCP class " + in_quotes(given.value) +
                                 "; known are BE, EF, CS0 to CS7 and AF11 to AF43");
    }
    if (!value) {
        return nullptr;
    }
    return std::make_shared<TosTarget>("DSCP",
                                       TosMask{static_cast<std::uint8_t>(*value << 2), kDscpMask});
}

constexpr std::array kEcnOptions = std::to_array<OptionSpec>(
    {{"ecn-tcp-remove", 0}, {"ecn-tcp-cwr"}, {"ecn-tcp-ece"}, {"ecn-ip-ect"}});
constexpr std::uint8_t kEctMask = 0x03;

class EcnTarget : public Target {
  public:
    EcnTarget() : Target("ECN") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict&) const override;

    std::optional<bool> ece;
    std::optional<bool> cwr;
    std::optional<std::uint8_t> ect;

  private:
    void set_flags(Packet& packet) const;
};

std::string EcnTarget::save() const {
    const bool removes = ece == false && cwr == false;
    if (removes && !ect) {
        return "--ecn-tcp-remove";
    }
    std::string text;
    if (ece) {
        append(text, *ece ? "--ecn-tcp-ece 1" : "--ecn-tcp-ece 0");
    }
    if (cwr) {
        append(text, *cwr ? "--ecn-tcp-cwr 1" : "--ecn-tcp-cwr 0");
    }
    if (ect) {
        append(text, "--ecn-ip-ect " + std::to_string(*ect));
    }
    return text;
}

// kernel: ecn_tg
TargetVerdict EcnTarget::apply(ActionParam& par, TableVerdict&) const {
    Packet& packet = par.packet;
    if (ect && (packet.layout.tos & kEctMask) != *ect) {
        rewrite::set_tos(packet, static_cast<std::uint8_t>((packet.layout.tos & ~kEctMask) | *ect));
    }
    if (ece || cwr) {
        set_flags(packet);
    }
    return TargetVerdict::Continue;
}

// kernel: set_ect_tcp
void EcnTarget::set_flags(Packet& packet) const {
    const auto header =
        packet.layout.has_l4_header() ? wire::TcpView::parse(packet.l4()) : std::nullopt;
    if (!header) {
        return;
    }
    const std::size_t offset = packet.layout.l4_offset + wire::tcp::kDataOffsetOffset;
    const std::uint16_t word = wire::load16(packet.data() + offset);
    const auto with = [](unsigned value, std::uint8_t flag, std::optional<bool> wanted) {
        const unsigned cleared = wanted ? value & ~unsigned{flag} : value;
        return wanted.value_or(false) ? cleared | flag : cleared;
    };
    const auto wanted =
        static_cast<std::uint16_t>(with(with(word, wire::tcp::kEce, ece), wire::tcp::kCwr, cwr));
    if (wanted != word) {
        rewrite::set_l4_u16(packet, offset, wanted);
    }
}

std::shared_ptr<const Target> parse_ecn_target(const Options& options, RuleContext& context) {
    const bool flags = options.has("ecn-tcp-ece") || options.has("ecn-tcp-cwr");
    const bool removes = options.has("ecn-tcp-remove");
    if (options.given.empty() || (removes && flags)) {
        context.error(
            "target ECN needs --ecn-tcp-remove, or some of --ecn-tcp-ece, --ecn-tcp-cwr and"
            " --ecn-ip-ect");
        return nullptr;
    }
    if ((flags || removes) && !context.only(proto::kTcp)) {
        context.refuse("target ECN needs \"-p tcp\" in the same rule for flags of TCP");
        return nullptr;
    }
    auto target = std::make_shared<EcnTarget>();
    if (const auto ece = read_number(options, context, "ecn-tcp-ece", 0, 1)) {
        target->ece = *ece != 0;
    }
    if (const auto cwr = read_number(options, context, "ecn-tcp-cwr", 0, 1)) {
        target->cwr = *cwr != 0;
    }
    if (const auto ect = read_number(options, context, "ecn-ip-ect", 0, 3)) {
        target->ect = static_cast<std::uint8_t>(*ect);
    }
    if (removes) {
        target->ece = target->cwr = false;
        // It goes over what stands before it. libipt_ECN: ECN_parse
        target->ect = options.given.back().name == "ecn-ip-ect" ? target->ect : std::nullopt;
    }
    return target;
}

}  // namespace

const TargetModule kTtlTarget = {"TTL", kIpv4Only, kTtlOptions, parse_ttl, kMangleTable};
const TargetModule kHlTarget = {"HL", kIpv6Only, kHlOptions, parse_ttl, kMangleTable};
const TargetModule kTosTarget = {"TOS", kBothFamilies, kTosOptions, parse_tos_target, kMangleTable};
const TargetModule kDscpTarget = {"DSCP", kBothFamilies, kDscpOptions, parse_dscp_target,
                                  kMangleTable};
const TargetModule kEcnTarget = {"ECN", kIpv4Only, kEcnOptions, parse_ecn_target, kMangleTable};

}  // namespace nsr::rules
