// -m ttl, hl, tos, dscp, ecn, pkttype.
// kernel: xt_hl.c, xt_dscp.c, xt_ecn.c, xt_pkttype.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/rules/words/tos.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTtlOptions = std::to_array<OptionSpec>(
    {{"ttl-eq", 1, true}, {"ttl", 1, true, "ttl-eq"}, {"ttl-lt"}, {"ttl-gt"}});
constexpr std::array kHlOptions =
    std::to_array<OptionSpec>({{"hl-eq", 1, true}, {"hl", 1, true, "hl-eq"}, {"hl-lt"}, {"hl-gt"}});

class TtlMatch : public Match {
  public:
    enum class Compare : std::uint8_t { Equal, Less, Greater };

    TtlMatch(std::string_view module, Compare compare) : Match(module), compare_(compare) {}
    std::string save() const override {
        constexpr std::array<std::string_view, 3> kNames = {"-eq ", "-lt ", "-gt "};
        return std::string(bang(invert)) + "--" + std::string(module()) +
               std::string(kNames[static_cast<std::size_t>(compare_)]) + std::to_string(value);
    }
    MatchResult test(ActionParam& par) const override {
        const unsigned ttl = par.packet.layout.ttl;
        switch (compare_) {
            case Compare::Equal:
                return yes_if((ttl == value) != invert);
            case Compare::Less:
                return yes_if(ttl < value);
            case Compare::Greater:
                return yes_if(ttl > value);
        }
        return MatchResult::No;
    }

    unsigned value = 0;
    bool invert = false;

  private:
    Compare compare_;
};

// Of an option such as "ttl-lt".
TtlMatch::Compare comparison_of(std::string_view option) {
    if (option.ends_with("-eq")) {
        return TtlMatch::Compare::Equal;
    }
    return option.ends_with("-lt") ? TtlMatch::Compare::Less : TtlMatch::Compare::Greater;
}

std::shared_ptr<const Match> parse_ttl(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        const std::string name(options.module);
        context.error("match " + in_quotes(name) + " needs exactly one of --" + name + "-eq, --" +
                      name + "-lt and --" + name + "-gt");
        return nullptr;
    }
    const GivenOption& given = options.given[0];
    const auto value = read_number(options, context, given.name, 0, 255);
    if (!value) {
        return nullptr;
    }
    auto match = std::make_shared<TtlMatch>(options.module, comparison_of(given.name));
    match->value = static_cast<unsigned>(*value);
    match->invert = given.inverted;
    return match;
}

constexpr std::array kTosOptions = std::to_array<OptionSpec>({{"tos", 1, true}});
constexpr std::array kDscpOptions =
    std::to_array<OptionSpec>({{"dscp", 1, true}, {"dscp-class", 1, true}});

// tos and dscp: some bits of the byte.
class TosMatch : public Match {
  public:
    TosMatch(std::string_view module, TosMask tos, bool invert)
        : Match(module), tos_(tos), invert_(invert) {}
    std::string save() const override {
        if (module() == "dscp") {
            return std::string(bang(invert_)) + "--dscp " +
                   hex2(static_cast<std::uint8_t>(tos_.value >> 2));
        }
        return std::string(bang(invert_)) + "--tos " + hex2(tos_.value) + "/" + hex2(tos_.mask);
    }
    MatchResult test(ActionParam& par) const override {
        return yes_if(((par.packet.layout.tos & tos_.mask) == tos_.value) != invert_);
    }

  private:
    TosMask tos_;
    bool invert_;
};

std::shared_ptr<const Match> parse_tos_match(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("tos");
    const auto tos = given != nullptr ? parse_tos(given->value) : std::nullopt;
    if (!tos) {
        context.error(
            given != nullptr ? *given : GivenOption{},
            "match \"tos\" needs --tos with a value, value/mask, or one of Minimize-Delay,"
            " Maximize-Throughput, Maximize-Reliability, Minimize-Cost, Normal-Service");
        return nullptr;
    }
    return std::make_shared<TosMatch>("tos", *tos, given->inverted);
}

std::shared_ptr<const Match> parse_dscp(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        context.error("match \"dscp\" needs --dscp or --dscp-class");
        return nullptr;
    }
    const GivenOption& given = options.given[0];
    std::optional<std::uint64_t> value;
    if (given.name == "dscp") {
        value = read_number(options, context, "dscp", 0, 63);
    } else if (value = parse_dscp_class(given.value); !value) {
        context.error(given, "unknown DSCP class " + in_quotes(given.value) +
                                 "; known are BE, EF, CS0 to CS7 and AF11 to AF43");
    }
    if (!value) {
        return nullptr;
    }
    const TosMask tos{static_cast<std::uint8_t>(*value << 2), 0xfc};
    return std::make_shared<TosMatch>("dscp", tos, given.inverted);
}

constexpr std::array kEcnOptions = std::to_array<OptionSpec>(
    {{"ecn-tcp-cwr", 0, true}, {"ecn-tcp-ece", 0, true}, {"ecn-ip-ect", 1, true}});
constexpr std::uint8_t kEcnMask = 0x03;

class EcnMatch : public Match {
  public:
    EcnMatch() : Match("ecn") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    std::optional<bool> ece;  // wanted value of the flag
    std::optional<bool> cwr;
    std::optional<std::uint8_t> ect;
    bool ect_inverted = false;
};

std::string EcnMatch::save() const {
    std::string text;
    if (ece) {
        append(text, std::string(bang(!*ece)) + "--ecn-tcp-ece");
    }
    if (cwr) {
        append(text, std::string(bang(!*cwr)) + "--ecn-tcp-cwr");
    }
    if (ect) {
        append(text, std::string(bang(ect_inverted)) + "--ecn-ip-ect " + std::to_string(*ect));
    }
    return text;
}

// kernel: ecn_mt4, ecn_mt6
MatchResult EcnMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    if (ect && ((packet.layout.tos & kEcnMask) == *ect) == ect_inverted) {
        return MatchResult::No;
    }
    if (!ece && !cwr) {
        return MatchResult::Yes;
    }
    const auto header =
        packet.layout.has_l4_header() ? wire::TcpView::parse(packet.l4()) : std::nullopt;
    const bool ok = header && (!ece || header->has(wire::tcp::kEce) == *ece) &&
                    (!cwr || header->has(wire::tcp::kCwr) == *cwr);
    return yes_if(ok);
}

std::shared_ptr<const Match> parse_ecn(const Options& options, RuleContext& context) {
    auto match = std::make_shared<EcnMatch>();
    for (const GivenOption& given : options.given) {
        if (given.name != "ecn-ip-ect" && !context.only(proto::kTcp)) {
            context.refuse(given, "--" + std::string(given.name) + " needs \"-p tcp\"");
            return nullptr;
        }
        if (given.name == "ecn-tcp-cwr") {
            match->cwr = !given.inverted;
        } else if (given.name == "ecn-tcp-ece") {
            match->ece = !given.inverted;
        } else if (const auto ect = read_number(options, context, "ecn-ip-ect", 0, 3)) {
            match->ect = static_cast<std::uint8_t>(*ect);
            match->ect_inverted = given.inverted;
        }
    }
    if (options.given.empty()) {
        context.error("match \"ecn\" needs --ecn-tcp-cwr, --ecn-tcp-ece or --ecn-ip-ect");
    }
    return match;
}

constexpr std::array kPkttypeOptions = std::to_array<OptionSpec>({{"pkt-type", 1, true}});
constexpr std::array<std::string_view, 4> kPacketTypes = {"unicast", "broadcast", "multicast",
                                                          "otherhost"};

// A TUN device has no link layer: every packet it hands over is for this host.
// kernel: tun_get_user leaves skb->pkt_type at PACKET_HOST
class PkttypeMatch : public Match {
  public:
    PkttypeMatch(std::size_t type, bool invert) : Match("pkttype"), type_(type), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--pkt-type " + std::string(kPacketTypes[type_]);
    }
    MatchResult test(ActionParam&) const override { return yes_if((type_ == 0) != invert_); }

  private:
    std::size_t type_;
    bool invert_;
};

std::shared_ptr<const Match> parse_pkttype(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("pkt-type");
    const std::string wanted = given != nullptr ? lower(given->value) : "";
    for (std::size_t i = 0; i < kPacketTypes.size(); ++i) {
        const bool alias = (i == 0 && wanted == "host") || (i == 1 && wanted == "bcast") ||
                           (i == 2 && wanted == "mcast");
        if (alias || kPacketTypes[i] == wanted) {
            return std::make_shared<PkttypeMatch>(i, given->inverted);
        }
    }
    context.error(given != nullptr ? *given : GivenOption{},
                  "match \"pkttype\" needs --pkt-type unicast, broadcast, multicast or otherhost");
    return nullptr;
}

}  // namespace

const MatchModule kTtlMatch = {"ttl", kIpv4Only, kTtlOptions, parse_ttl};
const MatchModule kHlMatch = {"hl", kIpv6Only, kHlOptions, parse_ttl};
const MatchModule kTosMatch = {"tos", kBothFamilies, kTosOptions, parse_tos_match};
const MatchModule kDscpMatch = {"dscp", kBothFamilies, kDscpOptions, parse_dscp};
const MatchModule kEcnMatch = {"ecn", kBothFamilies, kEcnOptions, parse_ecn};
const MatchModule kPkttypeMatch = {"pkttype", kBothFamilies, kPkttypeOptions, parse_pkttype};

}  // namespace nsr::rules
