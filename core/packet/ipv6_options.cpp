#include "core/packet/ipv6_options.hpp"

#include <algorithm>

#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr {

namespace {

namespace ipv6 = wire::ipv6;
using wire::ConstBytes;

constexpr Ipv6OptionFacts kFine{};
constexpr Ipv6OptionFacts kRefused{true, 0, 0};

struct Option {
    std::uint8_t type = 0;
    std::size_t at = 0;  // from the IPv6 header
    ConstBytes bytes;    // type and length included
};

Ipv6OptionFacts judge(const Option& option, Ipv6Options kind);
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
            const Ipv6OptionFacts facts = ++options > kMaxOptions ? kRefused : judge(option, kind);
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

Ipv6OptionFacts judge(const Option& option, Ipv6Options kind) {
    const bool hop_by_hop = kind == Ipv6Options::HopByHop || kind == Ipv6Options::HopByHopMulticast;
    if (hop_by_hop && option.type == ipv6::kOptionRouterAlert) {
        return option.bytes.size() == 4 ? kFine : kRefused;
    }
    if (hop_by_hop && option.type == ipv6::kOptionJumbo) {
        // No frame here can be as long as a jumbogram must be (RFC 2675 3).
        const bool too_small = option.bytes.size() == 6 && (option.at & 3) == 2;
        const std::size_t pointer = too_small ? option.at + 2 : 0;
        return {true, static_cast<std::uint16_t>(pointer), wire::icmpv6::kErroneousHeader};
    }
    return judge_unknown(option, kind == Ipv6Options::HopByHopMulticast ||
                                     kind == Ipv6Options::DestinationMulticast);
}

}  // namespace

}  // namespace nsr
