// -m ah: the authentication header (RFC 4302), by its SPI.
// kernel: ipt_ah.c, ip6t_ah.c
#include <array>
#include <optional>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/index_range.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kAhOptions =
    std::to_array<OptionSpec>({{"ahspi", 1, true}, {"ahlen", 1, true}, {"ahres", 0}});
constexpr std::size_t kAhBytes = 12;

class AhMatch : public Match {
  public:
    AhMatch() : Match("ah") {}
    std::string save() const override {
        std::string text;
        append_index_range("--ahspi", spi, text);
        if (length && (*length != 0 || length_inverted)) {
            append(text, std::string(bang(length_inverted)) + "--ahlen " + std::to_string(*length));
        }
        if (reserved) {
            append(text, "--ahres");
        }
        return text;
    }
    MatchResult test(ActionParam& par) const override;

    IndexRange spi;
    std::optional<std::uint32_t> length;  // 0: any, inverted or not
    bool length_inverted = false;
    bool reserved = false;
};

MatchResult AhMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    std::size_t at = packet.layout.l4_offset;
    if (packet.layout.family == Family::Ipv6) {
        const auto extension = wire::find_extension(packet.bytes(), proto::kAh);
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
                  (length.value_or(0) == 0 || (*length == header_length) != length_inverted) &&
                  !(reserved && wire::load16(header + 2) != 0));
}

std::shared_ptr<const Match> parse_ah(const Options& options, RuleContext& context) {
    auto match = std::make_shared<AhMatch>();
    match->reserved = options.has("ahres");
    if (const GivenOption* given = options.find("ahlen")) {
        const auto length = read_number(options, context, "ahlen", 0, 0xffffffff);
        if (!length) {
            return nullptr;
        }
        match->length = static_cast<std::uint32_t>(*length);
        match->length_inverted = given->inverted;
    }
    return read_index_range(options, context, "ahspi", match->spi) ? match : nullptr;
}

}  // namespace

const MatchModule kAhMatch = {.name = "ah",
                              .families = kBothFamilies,
                              .options = kAhOptions,
                              .parse = parse_ah,
                              .protocol = proto::kAh,
                              .needs_protocol = kIpv4Only,
                              .ipv4_options = 1};

}  // namespace nsr::rules
