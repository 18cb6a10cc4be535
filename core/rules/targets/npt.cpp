// -j SNPT, DNPT: prefixes translated without state; a word of the address makes up for the change,
// so that checksums stay as they are (RFC 6296).
// kernel: ip6t_NPT.c
#include <algorithm>
#include <array>

#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

namespace ipv6 = wire::ipv6;

constexpr std::array kNptOptions = std::to_array<OptionSpec>({{"src-pfx"}, {"dst-pfx"}});
constexpr std::uint8_t kLongestPrefix = 64;
constexpr unsigned kSubnetEnd = 48;  // up to here the fourth word is free to make up
constexpr std::size_t kSubnetWord = 3;
constexpr std::size_t kInterfaceIdWord = 4;
constexpr std::size_t kAddressWords = 8;
constexpr std::uint16_t kMinusZero = 0xffff;

std::uint16_t fold(std::uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum + (sum >> 16));
}

std::uint16_t sum_of(const IpAddress& address) {
    std::uint32_t sum = 0;
    for (const std::uint32_t word : address.words) {
        sum += (word & 0xffff) + (word >> 16);
    }
    return fold(sum);
}

class NptTarget : public Target {
  public:
    NptTarget(std::string_view name, const Prefix& from, const Prefix& to)
        : Target(name),
          from_(from),
          to_(to),
          adjustment_(
              fold(sum_of(from.address) + static_cast<std::uint16_t>(~sum_of(to.address)))) {}
    std::string save() const override {
        return "--src-pfx " + nsr::to_string(from_) + " --dst-pfx " + nsr::to_string(to_);
    }
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    std::uint8_t hooks() const override {
        return of_source() ? bit(Hook::Input) | bit(Hook::Postrouting)
                           : bit(Hook::Prerouting) | bit(Hook::Output);
    }

  private:
    [[nodiscard]] bool of_source() const { return name() == "SNPT"; }
    bool translate(std::uint8_t* address) const;
    void translate_quoted(Packet& packet) const;

    Prefix from_;
    Prefix to_;
    std::uint16_t adjustment_;
};

// False, and nothing but the prefix changed: no word is free. kernel: ip6t_npt_map_pfx
bool NptTarget::translate(std::uint8_t* address) const {
    const unsigned length = std::max(from_.length, to_.length);
    const IpAddress mask = mask_of(Family::Ipv6, length);
    for (std::size_t i = 0; i < mask.words.size(); ++i) {
        std::uint8_t* word = address + i * sizeof(std::uint32_t);
        wire::store32(
            word, (wire::load32(word) & ~mask.words[i]) | (to_.address.words[i] & mask.words[i]));
    }
    const auto at = [&](std::size_t index) { return address + index * sizeof(std::uint16_t); };
    std::size_t free = length <= kSubnetEnd ? kSubnetWord : kInterfaceIdWord;
    while (length > kSubnetEnd && free < kAddressWords && wire::load16(at(free)) == kMinusZero) {
        ++free;
    }
    if (free == kAddressWords) {
        return false;
    }
    const std::uint16_t sum = fold(std::uint32_t{wire::load16(at(free))} + adjustment_);
    wire::store16(at(free), sum == kMinusZero ? 0 : sum);
    return true;
}

// kernel: icmpv6_is_err
bool quotes_a_packet(std::uint8_t icmp_type) {
    return icmp_type >= wire::icmpv6::kDestinationUnreachable &&
           icmp_type <= wire::icmpv6::kParameterProblem;
}

// The other address of what an error quotes, if it lies in the prefix.
void NptTarget::translate_quoted(Packet& packet) const {
    const auto bytes = packet.bytes();
    const std::size_t icmp = ipv6::kHeaderBytes;
    const std::size_t quoted = icmp + wire::icmp::kHeaderBytes;
    if (bytes[ipv6::kNextHeaderOffset] != proto::kIcmpv6 ||
        quoted + ipv6::kHeaderBytes > bytes.size() || !quotes_a_packet(bytes[icmp])) {
        return;
    }
    std::uint8_t* address =
        bytes.data() + quoted + (of_source() ? ipv6::kDestinationOffset : ipv6::kSourceOffset);
    if (from_.contains(IpAddress::from_wire(Family::Ipv6, address))) {
        translate(address);
    }
}

// kernel: ip6t_snpt_tg, ip6t_dnpt_tg
TargetVerdict NptTarget::apply(ActionParam& par, TableVerdict& verdict) const {
    Packet& packet = par.packet;
    std::uint8_t* address =
        packet.data() + (of_source() ? ipv6::kSourceOffset : ipv6::kDestinationOffset);
    const bool translated = translate(address);
    (of_source() ? packet.layout.source : packet.layout.destination) =
        IpAddress::from_wire(Family::Ipv6, address);
    if (!translated) {
        verdict.reject = of_source() ? RejectWith::SourceProblem6 : RejectWith::DestinationProblem6;
        return TargetVerdict::Reject;
    }
    translate_quoted(packet);
    return TargetVerdict::Continue;
}

std::optional<Prefix> read_prefix(const Options& options, const RuleContext& context,
                                  std::string_view name) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        context.error("target " + std::string(options.module) + " needs --" + std::string(name));
        return std::nullopt;
    }
    const auto prefix = parse_prefix(given->value);
    if (!prefix || !prefix->address.is_v6() || prefix->length > kLongestPrefix ||
        prefix->network() != *prefix) {
        context.error(*given, "--" + std::string(name) +
                                  " needs an IPv6 prefix of at most 64 bits"
                                  " with nothing behind it, such as fd00:1::/48, not " +
                                  in_quotes(given->value));
        return std::nullopt;
    }
    return prefix;
}

std::shared_ptr<const Target> parse_npt(const Options& options, RuleContext& context) {
    const auto from = read_prefix(options, context, "src-pfx");
    const auto to = read_prefix(options, context, "dst-pfx");
    return from && to ? std::make_shared<NptTarget>(options.module, *from, *to) : nullptr;
}

}  // namespace

const TargetModule kSnptTarget = {"SNPT", kIpv6Only, kNptOptions, parse_npt, bit(TableId::Mangle)};
const TargetModule kDnptTarget = {"DNPT", kIpv6Only, kNptOptions, parse_npt, bit(TableId::Mangle)};

}  // namespace nsr::rules
