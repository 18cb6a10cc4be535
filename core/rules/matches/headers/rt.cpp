// -m rt: the routing header of IPv6, and the addresses in one of type 0.
// kernel: ip6t_rt.c
#include <array>
#include <vector>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/index_range.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kRtOptions = std::to_array<OptionSpec>({
    {"rt-type", 1, true},
    {"rt-segsleft", 1, true},
    {"rt-len", 1, true},
    {"rt-0-res", 0},
    {"rt-0-addrs"},
    {"rt-0-not-strict", 0},
});
constexpr std::size_t kHeaderBytes = 4;  // next header, length, type, segments left
constexpr std::size_t kAddressesAt = 8;  // behind 4 reserved bytes
constexpr std::size_t kAddressBytes = 16;
constexpr std::size_t kMostAddresses = 16;

class RtMatch : public Match {
  public:
    RtMatch() : Match("rt") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    IndexRange type;
    IndexRange segments_left;
    IndexRange length;  // of the header, in bytes
    bool reserved = false;
    std::vector<IpAddress> addresses;
    bool strict = true;  // these addresses and no others

  private:
    [[nodiscard]] bool passes(wire::ConstBytes header) const;
};

std::string RtMatch::save() const {
    std::string text;
    append_index_range("--rt-type", type, text);
    append_index_range("--rt-segsleft", segments_left, text);
    append_index_range("--rt-len", length, text);
    if (reserved) {
        append(text, "--rt-0-res");
    }
    for (const IpAddress& address : addresses) {
        const bool first = &address == addresses.data();
        text += (first ? (text.empty() ? "--rt-0-addrs " : " --rt-0-addrs ") : ",") +
                nsr::to_string(address);
    }
    if (!strict) {
        append(text, "--rt-0-not-strict");
    }
    return text;
}

// kernel: rt_mt6
MatchResult RtMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    const auto extension = wire::find_extension(packet.bytes(), proto::kRouting);
    if (!extension) {
        return MatchResult::No;
    }
    if (extension->offset + kHeaderBytes > packet.size()) {
        return MatchResult::HotDrop;
    }
    if (extension->offset + extension->length > packet.size()) {
        return MatchResult::No;
    }
    const auto header = packet.bytes().subspan(extension->offset, extension->length);
    const bool fits = segments_left.contains(header[3]) &&
                      length.contains(static_cast<std::uint32_t>(extension->length)) &&
                      type.contains(header[2]) &&
                      !(reserved && wire::load32(header.data() + kHeaderBytes) != 0);
    return yes_if(fits && passes(header));
}

// The wanted addresses stand in the header in their order: all of it, or among others.
bool RtMatch::passes(wire::ConstBytes header) const {
    const std::size_t there = (header.size() - kAddressesAt) / kAddressBytes;
    if (addresses.empty()) {
        return true;
    }
    if (addresses.size() > there || (strict && addresses.size() != there)) {
        return false;
    }
    std::size_t found = 0;
    for (std::size_t i = 0; i < there && found < addresses.size(); ++i) {
        const std::uint8_t* at = header.data() + kAddressesAt + i * kAddressBytes;
        const bool same = IpAddress::from_wire(Family::Ipv6, at) == addresses[found];
        if (!same && strict) {
            return false;
        }
        found += same ? 1 : 0;
    }
    return found == addresses.size();
}

// The options about a header of type 0 stand behind what they need.
bool in_order(const Options& options, const RuleContext& context, const RtMatch& match) {
    const bool of_type_0 = match.type.low == 0 && match.type.high == 0 && !match.type.invert;
    bool type_seen = false;
    bool list_seen = false;
    for (const GivenOption& given : options.given) {
        const bool of_list = given.name == "rt-0-not-strict";
        const bool fits = of_list ? list_seen : type_seen && of_type_0;
        if (given.name.starts_with("rt-0-") && !fits) {
            context.error(given, "--" + std::string(given.name) + " needs " +
                                     (of_list ? "--rt-0-addrs" : "--rt-type 0") + " before it");
            return false;
        }
        type_seen |= given.name == "rt-type";
        list_seen |= given.name == "rt-0-addrs";
    }
    return true;
}

// What only a header of type 0 has.
bool read_type_0(const Options& options, const RuleContext& context, RtMatch& match) {
    match.reserved = options.has("rt-0-res");
    match.strict = !options.has("rt-0-not-strict");
    const GivenOption* list = options.find("rt-0-addrs");
    if (list == nullptr) {
        return true;
    }
    for (const std::string_view word : split(list->value, ',')) {
        const auto address = parse_address(word);
        if (!address || !address->is_v6() || match.addresses.size() == kMostAddresses) {
            context.error(*list, "--rt-0-addrs needs a list of 1 to 16 IPv6 addresses, not " +
                                     in_quotes(list->value));
            return false;
        }
        match.addresses.push_back(*address);
    }
    return true;
}

std::shared_ptr<const Match> parse_rt(const Options& options, RuleContext& context) {
    auto match = std::make_shared<RtMatch>();
    const bool ok = read_index(options, context, "rt-type", match->type) &&
                    read_index_range(options, context, "rt-segsleft", match->segments_left) &&
                    read_index(options, context, "rt-len", match->length) &&
                    in_order(options, context, *match) && read_type_0(options, context, *match);
    return ok ? match : nullptr;
}

}  // namespace

const MatchModule kRtMatch = {"rt", kIpv6Only, kRtOptions, parse_rt};

}  // namespace nsr::rules
