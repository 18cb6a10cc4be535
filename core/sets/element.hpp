// What a set holds: elements, and what is known about each beside it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/wire/address.hpp"

namespace nsr::sets {

// A set of a Sets, as long as it exists. kernel: ip_set_id_t
enum class SetId : std::uint16_t { None = 0xffff };

using MacAddress = std::array<std::uint8_t, 6>;

// Which of these count says the type of the set.
struct Element {
    IpAddress ip;
    IpAddress ip2;
    std::uint8_t prefix = 0;  // of `ip` if it is a network
    std::uint8_t prefix2 = 0;
    std::uint8_t protocol = 0;
    std::uint16_t port = 0;  // ICMP: type << 8 | code
    std::uint32_t mark = 0;
    std::optional<MacAddress> mac;
    std::string iface;
    bool physdev = false;   // the port of a bridge, which a TUN device never is
    bool wildcard = false;  // `iface` is how the name begins
    SetId set = SetId::None;
};

// What -j SET --map-set gives to a packet. kernel: struct ip_set_skbinfo
struct SkbInfo {
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;
    std::uint32_t priority = 0;
    std::uint16_t queue = 0;
    friend bool operator==(const SkbInfo&, const SkbInfo&) = default;
};

// What is given with an element, and what is shown of it.
// kernel: struct ip_set_ext
struct Extensions {
    std::optional<std::uint32_t> timeout;  // seconds; 0: stays
    std::optional<std::uint64_t> packets;
    std::optional<std::uint64_t> bytes;
    std::optional<std::string> comment;
    std::optional<SkbInfo> skbinfo;
    bool nomatch = false;
};

inline constexpr std::uint32_t kMaxTimeout = 2147483;  // seconds. kernel: IPSET_MAX_TIMEOUT
inline constexpr std::size_t kMaxCommentBytes = 255;
inline constexpr std::size_t kMaxNameBytes = 31;  // kernel: IPSET_MAXNAMELEN - 1

}  // namespace nsr::sets
