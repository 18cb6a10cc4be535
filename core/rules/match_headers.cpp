// -m ah, esp, frag, ipv6header: security headers and IPv6 extension headers.
// kernel: ipt_ah.c, ip6t_ah.c, xt_esp.c, ip6t_frag.c, ip6t_ipv6header.c
#include <algorithm>
#include <array>

#include "core/rules/modules.hpp"
#include "core/rules/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

struct IndexRange {
    std::uint32_t low = 0;
    std::uint32_t high = 0xffffffff;
    bool invert = false;
    [[nodiscard]] bool contains(std::uint32_t value) const {
        return (value >= low && value <= high) != invert;
    }
    [[nodiscard]] bool trivial() const { return low == 0 && high == 0xffffffff && !invert; }
};

bool read_index_range(const Options& options, const RuleContext& context, std::string_view name,
                      IndexRange& range) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    const auto parsed = parse_range(given->value, 0xffffffff);
    if (!parsed) {
        context.error(*given, in_quotes(given->value) + " is not a number or a range a:b");
        return false;
    }
    range = {static_cast<std::uint32_t>(parsed->low), static_cast<std::uint32_t>(parsed->high),
             given->inverted};
    return true;
}

void append_index_range(std::string_view option, const IndexRange& range, std::string& text) {
    if (!range.trivial()) {
        append(text, std::string(bang(range.invert)) + std::string(option) + " " +
                         std::to_string(range.low) +
                         (range.low == range.high ? "" : ":" + std::to_string(range.high)));
    }
}

// One extension header of an IPv6 packet; `type` is what the header before it calls it.
struct Extension {
    std::uint8_t type = 0;
    std::size_t offset = 0;
    std::size_t length = 0;
};

bool is_extension(std::uint8_t type) {
    return type == proto::kHopByHop || type == proto::kRouting || type == proto::kFragment ||
           type == proto::kAh || type == proto::kDestinationOptions;
}

// Steps to the header behind `current`, if it is an extension header whose first two bytes are
// there. Begin with an Extension of type "next header of the IPv6 header" at offset 40, length 0.
std::optional<Extension> next_extension(wire::ConstBytes bytes, std::uint8_t type,
                                        std::size_t offset) {
    if (!is_extension(type) || offset + 2 > bytes.size()) {
        return std::nullopt;
    }
    const std::size_t units = bytes[offset + 1];
    const std::size_t length = type == proto::kFragment ? 8
                               : type == proto::kAh     ? (units + 2) * 4
                                                        : (units + 1) * 8;
    return Extension{type, offset, length};
}

std::optional<Extension> find_extension(wire::ConstBytes bytes, std::uint8_t wanted) {
    std::uint8_t type = bytes[wire::ipv6::kNextHeaderOffset];
    std::size_t offset = wire::ipv6::kHeaderBytes;
    while (const auto extension = next_extension(bytes, type, offset)) {
        if (type == wanted) {
            return extension;
        }
        type = bytes[offset];
        offset += extension->length;
    }
    return std::nullopt;
}

constexpr std::array kAhOptions =
    std::to_array<OptionSpec>({{"ahspi", 1, true}, {"ahlen", 1, true}, {"ahres", 0}});
constexpr std::array kEspOptions = std::to_array<OptionSpec>({{"espspi", 1, true}});
constexpr std::size_t kAhBytes = 12;
constexpr std::size_t kEspBytes = 8;

class AhMatch : public Match {
  public:
    AhMatch() : Match("ah") {}
    std::string save() const override {
        std::string text;
        append_index_range("--ahspi", spi, text);
        append_index_range("--ahlen", length, text);
        if (reserved) {
            append(text, "--ahres");
        }
        return text;
    }
    MatchResult test(Subject& subject, MatchState*) const override;

    IndexRange spi;
    IndexRange length;
    bool reserved = false;
};

MatchResult AhMatch::test(Subject& subject, MatchState*) const {
    const Packet& packet = subject.packet;
    std::size_t at = packet.layout.l4_offset;
    if (packet.layout.family == Family::Ipv6) {
        const auto extension = find_extension(packet.bytes(), proto::kAh);
        if (!extension) {
            return MatchResult::No;
        }
        at = extension->offset;
    } else if (!packet.layout.has_l4_header()) {
        return MatchResult::No;
    }
    if (at + kAhBytes > packet.size()) {
        return MatchResult::HotDrop;
    }
    const std::uint8_t* header = packet.data() + at;
    const std::uint32_t header_length = (header[1] + 2u) * 4;
    return yes_if(spi.contains(wire::load32(header + 4)) &&
                  (length.trivial() || length.contains(header_length)) &&
                  !(reserved && wire::load16(header + 2) != 0));
}

std::shared_ptr<const Match> parse_ah(const Options& options, RuleContext& context) {
    auto match = std::make_shared<AhMatch>();
    if (!context.v6() &&
        (!context.only(proto::kAh) || options.has("ahlen") || options.has("ahres"))) {
        context.error("match \"ah\" needs \"-p ah\" in IPv4, where it knows --ahspi only");
        return nullptr;
    }
    match->reserved = options.has("ahres");
    const bool ok = read_index_range(options, context, "ahspi", match->spi) &&
                    read_index_range(options, context, "ahlen", match->length);
    return ok ? match : nullptr;
}

class EspMatch : public Match {
  public:
    EspMatch() : Match("esp") {}
    std::string save() const override {
        std::string text;
        append_index_range("--espspi", spi, text);
        return text;
    }
    MatchResult test(Subject& subject, MatchState*) const override {
        const Packet& packet = subject.packet;
        if (!packet.layout.has_l4_header()) {
            return MatchResult::No;
        }
        const auto l4 = packet.l4();
        return l4.size() < kEspBytes ? MatchResult::HotDrop
                                     : yes_if(spi.contains(wire::load32(l4.data())));
    }

    IndexRange spi;
};

std::shared_ptr<const Match> parse_esp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<EspMatch>();
    return read_index_range(options, context, "espspi", match->spi) ? match : nullptr;
}

constexpr std::array kFragOptions = std::to_array<OptionSpec>({{"fragid", 1, true},
                                                               {"fraglen", 1, true},
                                                               {"fragres", 0},
                                                               {"fragfirst", 0},
                                                               {"fragmore", 0},
                                                               {"fraglast", 0}});

class FragMatch : public Match {
  public:
    FragMatch() : Match("frag") {}
    std::string save() const override;
    MatchResult test(Subject& subject, MatchState* state) const override;

    IndexRange id;
    bool reserved = false;
    bool first = false;
    bool more = false;
    bool last = false;
};

std::string FragMatch::save() const {
    std::string text;
    append_index_range("--fragid", id, text);
    const std::array<std::pair<bool, std::string_view>, 4> flags = {{{reserved, "--fragres"},
                                                                     {first, "--fragfirst"},
                                                                     {more, "--fragmore"},
                                                                     {last, "--fraglast"}}};
    for (const auto& [given, option] : flags) {
        if (given) {
            append(text, option);
        }
    }
    return text;
}

// kernel: frag_mt6
MatchResult FragMatch::test(Subject& subject, MatchState*) const {
    const Packet& packet = subject.packet;
    const auto extension = find_extension(packet.bytes(), proto::kFragment);
    if (!extension) {
        return MatchResult::No;
    }
    if (extension->offset + wire::ipv6::kFragmentHeaderBytes > packet.size()) {
        return MatchResult::HotDrop;
    }
    const std::uint8_t* header = packet.data() + extension->offset;
    const std::uint16_t offset = wire::load16(header + wire::ipv6::kFragmentOffsetOffset);
    constexpr std::uint16_t kReservedBits = 0x6;
    const bool has_more = (offset & wire::ipv6::kMoreFragments) != 0;
    return yes_if(id.contains(wire::load32(header + wire::ipv6::kFragmentIdentificationOffset)) &&
                  !(reserved && (header[1] != 0 || (offset & kReservedBits) != 0)) &&
                  !(first && (offset & wire::ipv6::kFragmentOffsetMask) != 0) &&
                  !(more && !has_more) && !(last && has_more));
}

std::shared_ptr<const Match> parse_frag(const Options& options, RuleContext& context) {
    auto match = std::make_shared<FragMatch>();
    match->reserved = options.has("fragres");
    match->first = options.has("fragfirst");
    match->more = options.has("fragmore");
    match->last = options.has("fraglast");
    if (match->more && match->last) {
        context.error("--fragmore and --fraglast exclude each other");
        return nullptr;
    }
    if (const GivenOption* given = options.find("fraglen")) {
        context.error(*given, "--fraglen is not supported: fragment headers have one length");
        return nullptr;
    }
    return read_index_range(options, context, "fragid", match->id) ? match : nullptr;
}

constexpr std::array kIpv6headerOptions =
    std::to_array<OptionSpec>({{"header", 1, true}, {"soft", 0}});

struct HeaderName {
    std::string_view name;
    std::string_view alias;
    std::uint8_t bit;
};
constexpr std::uint8_t kEspBit = 4;
constexpr std::uint8_t kNoneBit = 2;
constexpr std::uint8_t kProtocolBit = 1;
constexpr std::array kHeaderNames = std::to_array<HeaderName>({
    {"hop-by-hop", "hop", 128},
    {"ipv6-opts", "dst", 64},
    {"ipv6-route", "route", 32},
    {"ipv6-frag", "frag", 16},
    {"ah", "auth", 8},
    {"esp", "esp", kEspBit},
    {"ipv6-nonxt", "none", kNoneBit},
    {"protocol", "prot", kProtocolBit},
});

std::uint8_t extension_bit(std::uint8_t type) {
    switch (type) {
        case proto::kHopByHop:
            return 128;
        case proto::kDestinationOptions:
            return 64;
        case proto::kRouting:
            return 32;
        case proto::kFragment:
            return 16;
        default:
            return 8;
    }
}

class Ipv6headerMatch : public Match {
  public:
    Ipv6headerMatch() : Match("ipv6header") {}
    std::string save() const override;
    MatchResult test(Subject& subject, MatchState* state) const override;

    std::uint8_t wanted = 0;
    bool soft = false;
    bool invert = false;
};

std::string Ipv6headerMatch::save() const {
    std::string list;
    for (const HeaderName& row : kHeaderNames) {
        if ((wanted & row.bit) != 0) {
            list += (list.empty() ? "" : ",") + std::string(row.name);
        }
    }
    return std::string(bang(invert)) + "--header " + list + (soft ? " --soft" : "");
}

// kernel: ipv6header_mt6
MatchResult Ipv6headerMatch::test(Subject& subject, MatchState*) const {
    const wire::ConstBytes bytes = subject.packet.bytes();
    std::uint8_t type = bytes[wire::ipv6::kNextHeaderOffset];
    std::size_t offset = wire::ipv6::kHeaderBytes;
    std::uint8_t seen = 0;
    while (is_extension(type)) {
        const auto extension = next_extension(bytes, type, offset);
        if (!extension) {
            return MatchResult::No;
        }
        seen |= extension_bit(type);
        type = bytes[offset];
        offset += extension->length;
    }
    seen |= type == proto::kEsp ? kEspBit : type == proto::kNoNext ? kNoneBit : kProtocolBit;
    if (soft) {
        const std::uint8_t inversion = invert ? 0xff : 0;
        return yes_if(((seen ^ wanted ^ inversion) & wanted) == 0);
    }
    return yes_if((seen == wanted) != invert);
}

std::shared_ptr<const Match> parse_ipv6header(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("header");
    if (given == nullptr) {
        context.error("match \"ipv6header\" needs --header");
        return nullptr;
    }
    auto match = std::make_shared<Ipv6headerMatch>();
    match->soft = options.has("soft");
    match->invert = given->inverted;
    for (const std::string_view word : split(given->value, ',')) {
        const std::string name = lower(word);
        const auto* row = std::find_if(
            kHeaderNames.begin(), kHeaderNames.end(),
            [&](const HeaderName& header) { return header.name == name || header.alias == name; });
        const auto number = row == kHeaderNames.end() ? parse_number(word, 255) : std::nullopt;
        if (row == kHeaderNames.end() &&
            !(number && is_extension(static_cast<std::uint8_t>(*number)))) {
            context.error(*given, "unknown IPv6 header " + in_quotes(word) +
                                      "; known are hop, dst, route, frag, auth, esp, none, prot");
            return nullptr;
        }
        match->wanted |= row != kHeaderNames.end()
                             ? row->bit
                             : extension_bit(static_cast<std::uint8_t>(*number));
    }
    return match;
}

}  // namespace

const MatchModule kAhModule = {"ah", kBothFamilies, kAhOptions, parse_ah};
const MatchModule kEspModule = {"esp", kBothFamilies, kEspOptions, parse_esp, proto::kEsp};
const MatchModule kFragModule = {"frag", kIpv6Only, kFragOptions, parse_frag};
const MatchModule kIpv6headerModule = {"ipv6header", kIpv6Only, kIpv6headerOptions,
                                       parse_ipv6header};

}  // namespace nsr::rules
