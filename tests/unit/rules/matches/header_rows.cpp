// What the options of matches that look at headers do.
#include "tests/unit/rules/rows.hpp"

namespace nsr::test {

namespace {

constexpr Family kV6 = Family::Ipv6;

const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kAck = tcp("10.0.0.3:50000", "192.0.2.9:443").ack(1);
const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);
const PacketBuilder kOtherUdp = udp("10.0.0.3:6000", "192.0.2.9:54").payload(20);
const PacketBuilder kUdp6 = udp("[fd00::2]:5000", "[2001:db8::1]:53").payload(10);
const PacketBuilder kToWan = udp("10.0.0.2:1", "198.51.100.7:2");
const PacketBuilder kToLan = udp("10.0.0.2:1", "10.0.0.1:2");
const PacketBuilder kText = udp("10.0.0.2:1", "192.0.2.1:2").data("say Hello");

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) {
        text += static_cast<char>(value);
    }
    return text;
}

PacketBuilder raw(std::uint8_t protocol, const std::string& data) {
    return ip(protocol, "10.0.0.2", "192.0.2.1").data(data);
}
PacketBuilder raw6(std::uint8_t protocol, const std::string& data) {
    return ip(protocol, "fd00::2", "2001:db8::1").data(data);
}
PacketBuilder ah(int spi) {
    return raw(51, bytes({59, 4, 0, 0, 0, 0, 0, spi}) + std::string(16, '\0'));
}
PacketBuilder ah6(int words, int reserved) {
    return raw6(51, bytes({59, words, 0, reserved, 0, 0, 0, 7}) + std::string(32, '\0'));
}
PacketBuilder esp(int spi) {
    return raw(50, bytes({0, 0, 0, spi, 0, 0, 0, 1}));
}
// A fragment header before nothing at all.
PacketBuilder fragment6(int reserved, int low, int id) {
    return raw6(44, bytes({59, reserved, 0, low, 0, 0, 0, id}) + std::string(8, '\0'));
}
// Ports 4660 and 80, of a protocol whose checksum nobody looks at here.
PacketBuilder ports(std::uint8_t protocol, const std::string& rest) {
    return raw(protocol, bytes({0x12, 0x34, 0, 80}) + rest);
}
PacketBuilder other_ports(std::uint8_t protocol, const std::string& rest) {
    return raw(protocol, bytes({0x12, 0x35, 0, 81}) + rest);
}
PacketBuilder with(const PacketBuilder& packet, std::vector<std::uint8_t> options) {
    PacketBuilder changed = packet;
    return changed.options(std::move(options));
}
PacketBuilder marked(std::uint8_t ttl, std::uint8_t tos) {
    PacketBuilder changed = kSyn;
    return changed.ttl(ttl).tos(tos);
}
PacketBuilder flags(std::uint8_t value) {
    return tcp("10.0.0.2:1", "192.0.2.1:2").flags(value);
}

void add_transport(std::vector<Row>& rows) {
    const std::string rest(12, '\0');
    const std::vector<Row> transport = {
        {"tcp", "source-port", "-p tcp --source-port 40000 -j DROP", {kSyn, kAck}, "D."},
        {"tcp", "destination-port", "-p tcp --destination-port 80 -j DROP", {kSyn, kAck}, "D."},
        {"tcp", "syn", "-p tcp --syn -j DROP", {kSyn, kAck}, "D."},
        {"tcp", "tcp-flags", "-p tcp --tcp-flags SYN,ACK ACK -j DROP", {kSyn, kAck}, ".D"},
        {"tcp",
         "tcp-option",
         "-p tcp --tcp-option 3 -j DROP",
         {with(kSyn, {3, 3, 7, 0}), kSyn},
         "D."},
        {"udp", "source-port", "-p udp --source-port 5000 -j DROP", {kUdp, kOtherUdp}, "D."},
        {"udp",
         "destination-port",
         "-p udp --destination-port 53 -j DROP",
         {kUdp, kOtherUdp},
         "D."},
        {"udplite",
         "source-port",
         "-p udplite --source-port 4660 -j DROP",
         {ip(136, "10.0.0.2:4660", "192.0.2.1:80"), ip(136, "10.0.0.2:1", "192.0.2.1:81")},
         "D."},
        {"udplite",
         "destination-port",
         "-p udplite --destination-port 80 -j DROP",
         {ip(136, "10.0.0.2:4660", "192.0.2.1:80"), ip(136, "10.0.0.2:1", "192.0.2.1:81")},
         "D."},
        {"dccp",
         "source-port",
         "-p dccp --source-port 4660 -j DROP",
         {ports(33, rest), other_ports(33, rest)},
         "D."},
        {"dccp",
         "destination-port",
         "-p dccp --destination-port 80 -j DROP",
         {ports(33, rest), other_ports(33, rest)},
         "D."},
        {"dccp",
         "dccp-types",
         "-p dccp --dccp-types RESPONSE -j DROP",
         {ports(33, bytes({0, 0, 0, 0, 2, 0, 0, 0})), ports(33, rest)},
         "D."},
        {"dccp",
         "dccp-option",
         "-p dccp --dccp-option 32 -j DROP",
         {ports(33, bytes({5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 32, 3, 0})),
          ports(33, bytes({5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 4, 32, 0})),
          ports(33, bytes({9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 4, 32, 0}))},
         "D.D"},
        {"sctp",
         "source-port",
         "-p sctp --source-port 4660 -j DROP",
         {ports(132, rest), other_ports(132, rest)},
         "D."},
        {"sctp",
         "destination-port",
         "-p sctp --destination-port 80 -j DROP",
         {ports(132, rest), other_ports(132, rest)},
         "D."},
        {"sctp",
         "chunk-types",
         "-p sctp --chunk-types any INIT -j DROP",
         {ports(132, std::string(8, '\0') + bytes({1, 0, 0, 4})),
          ports(132, std::string(8, '\0') + bytes({3, 0, 0, 4}))},
         "D."},
        {"multiport",
         "source-ports",
         "-p tcp -m multiport --source-ports 1,40000 -j DROP",
         {kSyn, kAck},
         "D."},
        {"multiport",
         "destination-ports",
         "-p tcp -m multiport --destination-ports 80,81 -j DROP",
         {kSyn, kAck},
         "D."},
        {"multiport",
         "ports",
         "-p tcp -m multiport --ports 80,50000 -j DROP",
         {kSyn, kAck, flags(2)},
         "DD."},
        {"tcpmss",
         "mss",
         "-p tcp -m tcpmss --mss 1400:1500 -j DROP",
         {with(kSyn, {2, 4, 5, 0xb4}), with(kSyn, {2, 4, 2, 0})},
         "D."},
        {"icmp",
         "icmp-type",
         "-p icmp --icmp-type echo-request -j DROP",
         {ping("10.0.0.2", "192.0.2.1"), ip(1, "10.0.0.2", "192.0.2.1").icmp(3, 4, 0)},
         "D."},
        {"icmp6",
         "icmpv6-type",
         "-p icmpv6 --icmpv6-type echo-request -j DROP",
         {ping("fd00::2", "2001:db8::1"), ip(58, "fd00::2", "2001:db8::1").icmp(1, 4, 0)},
         "D.",
         kV6},
        {"ah", "ahspi", "-p ah -m ah --ahspi 5 -j DROP", {ah(5), ah(6)}, "D."},
        {"ah", "ahlen", "-m ah --ahlen 24 -j DROP", {ah6(4, 0), ah6(5, 0)}, "D.", kV6},
        {"ah", "ahres", "-m ah --ahres -j DROP", {ah6(4, 0), ah6(4, 1)}, "D.", kV6},
        {"esp", "espspi", "-p esp -m esp --espspi 1:5 -j DROP", {esp(5), esp(6)}, "D."},
    };
    rows.insert(rows.end(), transport.begin(), transport.end());
}

void add_network(std::vector<Row>& rows) {
    const PacketBuilder plain6 = kUdp6;
    const std::vector<Row> network = {
        {"frag",
         "fragid",
         "-m frag --fragid 9 -j DROP",
         {fragment6(0, 0, 9), fragment6(0, 0, 8)},
         "D.",
         kV6},
        {"frag",
         "fragres",
         "-m frag --fragres -j DROP",
         {fragment6(0, 0, 9), fragment6(1, 0, 9)},
         "D.",
         kV6},
        {"frag",
         "fragfirst",
         "-m frag --fragfirst -j DROP",
         {fragment6(0, 1, 9), fragment6(0, 8, 9)},
         "D.",
         kV6},
        {"frag",
         "fragmore",
         "-m frag --fragmore -j DROP",
         {fragment6(0, 1, 9), fragment6(0, 0, 9)},
         "D.",
         kV6},
        {"frag",
         "fraglast",
         "-m frag --fraglast -j DROP",
         {fragment6(0, 0, 9), fragment6(0, 1, 9)},
         "D.",
         kV6},
        {"ipv6header",
         "header",
         "-m ipv6header --header frag,none -j DROP",
         {fragment6(0, 0, 9), plain6},
         "D.",
         kV6},
        {"ipv6header",
         "soft",
         "-m ipv6header --header frag --soft -j DROP",
         {fragment6(0, 0, 9), plain6},
         "D.",
         kV6},
        {"ttl", "ttl-eq", "-m ttl --ttl-eq 9 -j DROP", {marked(9, 0), kSyn}, "D."},
        {"ttl", "ttl-lt", "-m ttl --ttl-lt 10 -j DROP", {marked(9, 0), marked(10, 0)}, "D."},
        {"ttl", "ttl-gt", "-m ttl --ttl-gt 9 -j DROP", {marked(9, 0), marked(10, 0)}, ".D"},
        {"hl", "hl-eq", "-m hl --hl-eq 64 -j DROP", {plain6}, "D", kV6},
        {"hl", "hl-lt", "-m hl --hl-lt 64 -j DROP", {plain6}, ".", kV6},
        {"hl", "hl-gt", "-m hl --hl-gt 63 -j DROP", {plain6}, "D", kV6},
        {"tos", "tos", "-m tos --tos 0xb9 -j DROP", {marked(9, 0xb9), kSyn}, "D."},
        {"dscp", "dscp", "-m dscp --dscp 46 -j DROP", {marked(9, 0xb9), kSyn}, "D."},
        {"dscp", "dscp-class", "-m dscp --dscp-class EF -j DROP", {marked(9, 0xb9), kSyn}, "D."},
        {"ecn",
         "ecn-tcp-cwr",
         "-p tcp -m ecn --ecn-tcp-cwr -j DROP",
         {flags(0x82), flags(0x42)},
         "D."},
        {"ecn",
         "ecn-tcp-ece",
         "-p tcp -m ecn --ecn-tcp-ece -j DROP",
         {flags(0x82), flags(0x42)},
         ".D"},
        {"ecn", "ecn-ip-ect", "-m ecn --ecn-ip-ect 1 -j DROP", {marked(9, 1), marked(9, 2)}, "D."},
        {"pkttype",
         "pkt-type",
         "-m pkttype --pkt-type multicast -j DROP\n"
         "-m pkttype --pkt-type unicast -j DROP",
         {kSyn},
         "D"},
        {"iprange",
         "src-range",
         "-m iprange --src-range 10.0.0.2-10.0.0.2 -j DROP",
         {kSyn, kAck},
         "D."},
        {"iprange",
         "dst-range",
         "-m iprange --dst-range 192.0.2.2-192.0.2.9 -j DROP",
         {kSyn, kAck},
         ".D"},
        {"length", "length", "-m length --length 38 -j DROP", {kUdp, kOtherUdp}, "D."},
        {"string", "string", "-m string --algo bm --string Hello -j DROP", {kText, kUdp}, "D."},
        {"string",
         "hex-string",
         "-m string --algo bm --hex-string |4865| -j DROP",
         {kText, kUdp},
         "D."},
        {"string", "algo", "-m string --algo kmp --string Hello -j DROP", {kText, kUdp}, "D."},
        {"string", "from", "-m string --algo bm --string Hello --from 33 -j DROP", {kText}, "."},
        {"string", "to", "-m string --algo bm --string Hello --to 30 -j DROP", {kText}, "."},
        {"string",
         "icase",
         "-m string --algo bm --string hELLO --icase -j DROP",
         {kText, kUdp},
         "D."},
        {"u32", "u32", "-m u32 --u32 6&0xFF=17 -j DROP", {kUdp, kSyn}, "D."},
        {"addrtype",
         "src-type",
         "-m addrtype --src-type LOCAL -j DROP",
         {udp("10.0.0.1:1", "192.0.2.1:2"), kUdp},
         "D."},
        {"addrtype", "dst-type", "-m addrtype --dst-type LOCAL -j DROP", {kToWan, kUdp}, "D."},
        {"addrtype",
         "limit-iface-in",
         "-m addrtype --dst-type LOCAL --limit-iface-in -j DROP",
         {kToLan, kToWan},
         "D."},
        {"addrtype",
         "limit-iface-out",
         "-m addrtype --dst-type LOCAL --limit-iface-out -j DROP",
         {kToLan, kToWan},
         ".D"},
        {"rpfilter",
         "invert",
         "-m rpfilter --invert -j DROP",
         {kUdp, udp("203.0.113.9:1", "192.0.2.1:2")},
         ".D"},
        {"rpfilter",
         "loose",
         "-m rpfilter --loose -j DROP",
         {udp("203.0.113.9:1", "192.0.2.1:2")},
         "D"},
        {"rpfilter",
         "accept-local",
         "-m rpfilter --accept-local -j DROP",
         {udp("10.0.0.1:1", "192.0.2.1:2")},
         "D"},
        {"rpfilter", "validmark", "-m rpfilter --validmark", {}, "="},
        {"mac", "mac-source", "-m mac --mac-source 02:00:00:00:00:01 -j DROP", {kSyn}, "."},
        {"physdev", "physdev-in", "-m physdev --physdev-in lan -j DROP", {kSyn}, "."},
        {"physdev", "physdev-out", "-m physdev ! --physdev-out wan -j DROP", {kSyn}, "D"},
        {"physdev", "physdev-is-in", "-m physdev --physdev-is-in -j DROP", {kSyn}, "."},
        {"physdev", "physdev-is-out", "-m physdev --physdev-is-out -j DROP", {kSyn}, "."},
        {"physdev", "physdev-is-bridged", "-m physdev --physdev-is-bridged -j DROP", {kSyn}, "."},
        {"comment", "comment", "-m comment --comment why -j DROP", {kSyn}, "D"},
        {"mark",
         "mark",
         "-s 10.0.0.2 -j MARK --set-mark 5\n-m mark --mark 5 -j DROP",
         {kSyn, kAck},
         "D."},
    };
    rows.insert(rows.end(), network.begin(), network.end());
}

}  // namespace

std::vector<Row> header_rows() {
    std::vector<Row> rows;
    add_transport(rows);
    add_network(rows);
    return rows;
}

}  // namespace nsr::test
