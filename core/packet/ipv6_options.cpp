#include "core/packet/ipv6_options.hpp"

#include <algorithm>

#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr {

namespace {

namespace ipv6 = wire::ipv6;
using wire::ConstBytes;

constexpr std::uint8_t kOptionIoam = 49;    // in situ operations, administration and maintenance
constexpr std::uint8_t kOptionCalipso = 7;  // a label of security
constexpr Ipv6OptionFacts kFine{};
constexpr Ipv6OptionFacts kRefused{true, 0, 0};

struct Option {
    std::uint8_t type = 0;
    std::size_t at = 0;  // from the IPv6 header
    ConstBytes bytes;    // type and length included
};

Ipv6OptionFacts judge(const Option& option, Ipv6Options kind, ConstBytes packet);
bool is_padding(std::uint8_t type);
bool padding_is_clean(ConstBytes padding);

}  // namespace

Ipv6OptionFacts check_ipv6_options(std::span<const std::uint8_t> packet, std::size_t offset,
                                   Ipv6Options kind) {
    constexpr unsigned kMaxOptions = 8;  // kernel: IP6_DEFAULT_MAX_HBH_OPTS_CNT
    constexpr std::size_t kMaxPadding = 7;
    const ConstBytes rest = packet.subspan(offset);
    const std::size_t length = rest.size() < 8 ? 8 : (std::size_t{rest[1]} + 1) * 8;
    if (rest.size() < length) {
        return kRefused;
    }
    unsigned options = 0;
    std::size_t padding = 0;
    for (std::size_t i = 2; i < length;) {
        const std::uint8_t type = rest[i];
        if (type != ipv6::kOptionPad1 && i + 1 >= length) {
            return kRefused;
        }
        const std::size_t size = type == ipv6::kOptionPad1 ? 1 : std::size_t{rest[i + 1]} + 2;
        if (size > length - i) {
            return kRefused;
        }
        const Option option{type, offset + i, rest.subspan(i, size)};
        if (is_padding(type)) {
            padding += size;
            if (padding > kMaxPadding || !padding_is_clean(option.bytes)) {
                return kRefused;
            }
        } else {
            padding = 0;
            const Ipv6OptionFacts facts =
                ++options > kMaxOptions ? kRefused : judge(option, kind, packet);
            if (facts.refused) {
                return facts;
            }
        }
        i += size;
    }
    return kFine;
}

namespace {

bool is_padding(std::uint8_t type) {
    return type == ipv6::kOptionPad1 || type == ipv6::kOptionPadN;
}

bool padding_is_clean(ConstBytes padding) {
    const auto data = padding.subspan(std::min<std::size_t>(padding.size(), 2));
    return std::all_of(data.begin(), data.end(), [](std::uint8_t byte) { return byte == 0; });
}

// What to do with an option nobody here knows is in its two highest bits: skip, discard, discard
// and tell, discard and tell unless sent to a multicast address.
Ipv6OptionFacts judge_unknown(const Option& option, bool multicast) {
    const unsigned action = option.type >> 6;
    const bool tell = action == 2 || (action == 3 && !multicast);
    if (!tell) {
        return action == 0 ? kFine : kRefused;
    }
    return {true, static_cast<std::uint16_t>(option.at), wire::icmpv6::kUnknownOption};
}

// Longer than any frame here, or pointed at for what it is not: too short, or beside a payload
// length. RFC 2675 3. kernel: ipv6_hop_jumbo
Ipv6OptionFacts judge_jumbo(const Option& option, ConstBytes packet) {
    constexpr std::uint32_t kMaxPayloadLength = 65535;
    if (option.bytes.size() != 6 || (option.at & 3) != 2) {
        return kRefused;
    }
    const bool too_short = wire::load32(option.bytes.data() + 2) <= kMaxPayloadLength;
    if (!too_short && wire::load16(packet.data() + ipv6::kPayloadLengthOffset) == 0) {
        return kRefused;
    }
    const std::size_t pointer = too_short ? option.at + 2 : option.at;
    return {true, static_cast<std::uint16_t>(pointer), wire::icmpv6::kErroneousHeader};
}

Ipv6OptionFacts judge_hop_by_hop(const Option& option, bool multicast, ConstBytes packet) {
    switch (option.type) {
        case ipv6::kOptionRouterAlert:
            return option.bytes.size() == 4 ? kFine : kRefused;
        case kOptionIoam:  // nobody asked for it here, but it has its place (kernel: ipv6_hop_ioam)
            return (option.at & 3) == 0 ? kFine : kRefused;
        case kOptionCalipso:  // of no domain that is known here (kernel: ipv6_hop_calipso)
            return kRefused;
        case ipv6::kOptionJumbo:
            return judge_jumbo(option, packet);
        default:
            return judge_unknown(option, multicast);
    }
}

Ipv6OptionFacts judge(const Option& option, Ipv6Options kind, ConstBytes packet) {
    switch (kind) {
        case Ipv6Options::HopByHop:
            return judge_hop_by_hop(option, false, packet);
        case Ipv6Options::HopByHopMulticast:
            return judge_hop_by_hop(option, true, packet);
        case Ipv6Options::Destination:
            return judge_unknown(option, false);
        case Ipv6Options::DestinationMulticast:
            return judge_unknown(option, true);
    }
    return kRefused;
}

}  // namespace

}  // namespace nsr
