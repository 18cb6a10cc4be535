// Names of protocols that rules may use. A core that reads no files carries its own list.
#include <algorithm>
#include <array>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

struct Protocol {
    std::uint8_t number;
    std::string_view name;
    std::string_view other = {};  // the second name that /etc/protocols has
};

// What iptables knows itself, then /etc/protocols of Debian (netbase 6.4). The first name of a
// number is the one iptables-save prints.
// clang-format off
constexpr std::array kProtocols = std::to_array<Protocol>({
    {6, "tcp", "TCP"}, {132, "sctp", "SCTP"}, {17, "udp", "UDP"}, {136, "udplite", "UDPLite"},
    {1, "icmp", "ICMP"}, {58, "ipv6-icmp", "IPv6-ICMP"}, {58, "icmpv6"}, {50, "esp", "IPSEC-ESP"},
    {51, "ah", "IPSEC-AH"}, {135, "mobility-header", "Mobility-Header"}, {135, "ipv6-mh"},
    {135, "mh"}, {0, "all"}, {0, "ip", "IP"}, {0, "hopopt", "HOPOPT"}, {2, "igmp", "IGMP"},
    {3, "ggp", "GGP"}, {4, "ipencap", "IP-ENCAP"}, {5, "st", "ST"}, {8, "egp", "EGP"},
    {9, "igp", "IGP"}, {12, "pup", "PUP"}, {20, "hmp", "HMP"}, {22, "xns-idp", "XNS-IDP"},
    {27, "rdp", "RDP"}, {29, "iso-tp4", "ISO-TP4"}, {33, "dccp", "DCCP"}, {36, "xtp", "XTP"},
    {37, "ddp", "DDP"}, {38, "idpr-cmtp", "IDPR-CMTP"}, {41, "ipv6", "IPv6"},
    {43, "ipv6-route", "IPv6-Route"}, {44, "ipv6-frag", "IPv6-Frag"}, {45, "idrp", "IDRP"},
    {46, "rsvp", "RSVP"}, {47, "gre", "GRE"}, {57, "skip", "SKIP"},
    {59, "ipv6-nonxt", "IPv6-NoNxt"}, {60, "ipv6-opts", "IPv6-Opts"}, {73, "rspf", "RSPF"},
    {73, "CPHB"}, {81, "vmtp", "VMTP"}, {88, "eigrp", "EIGRP"}, {89, "ospf", "OSPFIGP"},
    {93, "ax.25", "AX.25"}, {94, "ipip", "IPIP"}, {97, "etherip", "ETHERIP"},
    {98, "encap", "ENCAP"}, {103, "pim", "PIM"}, {108, "ipcomp", "IPCOMP"}, {112, "vrrp", "VRRP"},
    {115, "l2tp", "L2TP"}, {124, "isis", "ISIS"}, {133, "fc", "FC"},
    {137, "mpls-in-ip", "MPLS-in-IP"}, {138, "manet"}, {139, "hip", "HIP"}, {140, "shim6", "Shim6"},
    {141, "wesp", "WESP"}, {142, "rohc", "ROHC"}, {143, "ethernet", "Ethernet"},
});
// clang-format on

template <class Is>
std::optional<std::uint8_t> number_of(const Is& is) {
    const auto* found = std::find_if(kProtocols.begin(), kProtocols.end(), is);
    return found == kProtocols.end() ? std::nullopt : std::optional(found->number);
}

}  // namespace

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
    if (const auto number = parse_number(text, 255)) {
        return static_cast<std::uint8_t>(*number);
    }
    return number_of([name = lower(text)](const Protocol& row) { return row.name == name; });
}

std::optional<std::uint8_t> parse_exact_protocol(std::string_view text) {
    if (const auto number = parse_number(text, 255)) {
        return static_cast<std::uint8_t>(*number);
    }
    return number_of([text](const Protocol& row) {
        return row.name == text || (!row.other.empty() && row.other == text);
    });
}

std::string protocol_text(std::uint8_t protocol) {
    for (const Protocol& row : kProtocols) {
        if (row.number == protocol && protocol != 0) {
            return std::string(row.name);
        }
    }
    return std::to_string(protocol);
}

}  // namespace nsr::rules
