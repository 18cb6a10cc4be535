#include <pcap/pcap.h>

#include "core/wire/bytes.hpp"
#include "router/capture/capture.hpp"

namespace nsr::router {
namespace {

using Frames = std::span<const std::uint8_t>;

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;

bool is_vlan_tag(std::uint16_t type) {
    return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

Unwrapped at_offset(std::size_t offset) {
    return {.ip_offset = offset};
}

Unwrapped no_ip(std::string content) {
    return {.content = std::move(content)};
}

Unwrapped cut_short() {
    return no_ip("cut short");
}

Unwrapped other_type(std::uint16_t type) {
    constexpr std::uint16_t kFirstType = 0x600;  // below stands a length, as 802.3 has it
    switch (type) {
        case 0x0806:
            return no_ip("ARP");
        case 0x8035:
            return no_ip("RARP");
        case 0x88cc:
            return no_ip("LLDP");
        default:
            break;
    }
    if (type < kFirstType) {
        return no_ip("802.2");
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text = "ethertype 0x";
    for (int shift = 12; shift >= 0; shift -= 4) {
        text += kDigits[type >> shift & 15];
    }
    return no_ip(std::move(text));
}

// `at` is where an Ethernet type stands; tags are passed over.
Unwrapped behind_ethertype(Frames frame, std::size_t at) {
    for (; at + 2 <= frame.size(); at += 4) {
        const std::uint16_t type = wire::load16(frame.data() + at);
        if (type == kIpv4 || type == kIpv6) {
            return at_offset(at + 2);
        }
        if (!is_vlan_tag(type)) {
            return other_type(type);
        }
    }
    return cut_short();
}

// SLL2 has its type first and the packet at a fixed place.
Unwrapped behind_sll2(Frames frame) {
    constexpr std::size_t kHeader = 20;
    if (frame.size() < kHeader) {
        return cut_short();
    }
    const std::uint16_t type = wire::load16(frame.data());
    if (type == kIpv4 || type == kIpv6) {
        return at_offset(kHeader);
    }
    // The tag's own type is the first thing behind the header: tag control, then the next type.
    return is_vlan_tag(type) ? behind_ethertype(frame, kHeader + 2) : other_type(type);
}

// The address family of whatever system captured it, in its byte order or the network's.
Unwrapped behind_null(Frames frame) {
    if (frame.size() < 4) {
        return cut_short();
    }
    const std::uint8_t* p = frame.data();
    const std::uint32_t big = wire::load32(p);
    const std::uint32_t little = static_cast<std::uint32_t>(p[3]) << 24 |
                                 static_cast<std::uint32_t>(p[2]) << 16 |
                                 static_cast<std::uint32_t>(p[1]) << 8 | p[0];
    for (const std::uint32_t family : {2u, 10u, 24u, 28u, 30u}) {
        if (big == family || little == family) {
            return at_offset(4);
        }
    }
    return no_ip("of another address family");
}

std::string name_of(std::uint32_t link_type) {
    const char* name = pcap_datalink_val_to_name(static_cast<int>(link_type));
    const char* words = pcap_datalink_val_to_description(static_cast<int>(link_type));
    return std::to_string(link_type) +
           (name == nullptr ? "" : " (" + std::string(name) + ", " + words + ")");
}

}  // namespace

Unwrapped unwrap(std::uint32_t link_type, Frames frame) {
    switch (link_type) {
        case 12:   // DLT_RAW, as libpcap says it for classic files
        case 14:   // the same on OpenBSD
        case 101:  // LINKTYPE_RAW
        case 228:  // LINKTYPE_IPV4
        case 229:  // LINKTYPE_IPV6
            return at_offset(0);
        case 1:  // LINKTYPE_ETHERNET
            return behind_ethertype(frame, 12);
        case 113:  // LINKTYPE_LINUX_SLL
            return behind_ethertype(frame, 14);
        case 276:  // LINKTYPE_LINUX_SLL2
            return behind_sll2(frame);
        case 0:    // LINKTYPE_NULL
        case 108:  // LINKTYPE_LOOP
            return behind_null(frame);
        default:
            return {.error = "link type " + name_of(link_type) +
                             " is not understood; raw IP, Ethernet, Linux cooked and loopback are"};
    }
}

}  // namespace nsr::router
