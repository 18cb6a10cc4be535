// Names of protocols that rules may use. A core that reads no files carries its own list.
#include <algorithm>
#include <array>
#include <utility>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

using Name = std::pair<std::uint16_t, std::string_view>;

// What iptables knows itself, then /etc/protocols of Debian (netbase 6.4). The first name of a
// number is the one iptables-save prints.
// clang-format off
constexpr std::array kProtocols = std::to_array<Name>({
    {6, "tcp"}, {132, "sctp"}, {17, "udp"}, {136, "udplite"}, {1, "icmp"}, {58, "ipv6-icmp"},
    {58, "icmpv6"}, {50, "esp"}, {51, "ah"}, {135, "mobility-header"}, {135, "ipv6-mh"},
    {135, "mh"}, {0, "all"}, {0, "ip"}, {0, "hopopt"}, {2, "igmp"}, {3, "ggp"}, {4, "ipencap"},
    {4, "ip-encap"}, {5, "st"}, {8, "egp"}, {9, "igp"}, {12, "pup"}, {20, "hmp"}, {22, "xns-idp"},
    {27, "rdp"}, {29, "iso-tp4"}, {33, "dccp"}, {36, "xtp"}, {37, "ddp"}, {38, "idpr-cmtp"},
    {41, "ipv6"}, {43, "ipv6-route"}, {44, "ipv6-frag"}, {45, "idrp"}, {46, "rsvp"}, {47, "gre"},
    {50, "ipsec-esp"}, {51, "ipsec-ah"}, {57, "skip"}, {59, "ipv6-nonxt"}, {60, "ipv6-opts"},
    {73, "rspf"}, {73, "cphb"}, {81, "vmtp"}, {88, "eigrp"}, {89, "ospf"}, {89, "ospfigp"},
    {93, "ax.25"}, {94, "ipip"}, {97, "etherip"}, {98, "encap"}, {103, "pim"}, {108, "ipcomp"},
    {112, "vrrp"}, {115, "l2tp"}, {124, "isis"}, {133, "fc"}, {137, "mpls-in-ip"}, {138, "manet"},
    {139, "hip"}, {140, "shim6"}, {141, "wesp"}, {142, "rohc"}, {143, "ethernet"},
});
// clang-format on

}  // namespace

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
    if (const auto number = parse_number(text, 255)) {
        return static_cast<std::uint8_t>(*number);
    }
    const std::string name = lower(text);
    const auto* found = std::find_if(kProtocols.begin(), kProtocols.end(),
                                     [&](const Name& row) { return row.second == name; });
    return found == kProtocols.end() ? std::nullopt
                                     : std::optional(static_cast<std::uint8_t>(found->first));
}

std::string protocol_text(std::uint8_t protocol) {
    for (const auto& [number, name] : kProtocols) {
        if (number == protocol && protocol != 0) {
            return std::string(name);
        }
    }
    return std::to_string(protocol);
}

}  // namespace nsr::rules
