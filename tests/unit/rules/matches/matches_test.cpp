// What each match makes of a packet.
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;
using rules::TargetVerdict;

namespace {

// Does a packet match a rule that consists of this condition?
bool matches(std::string_view condition, const PacketBuilder& builder) {
    Firewall box(forward("-A FORWARD " + std::string(condition) + " -j DROP"));
    return box.drops(builder);
}

bool matches6(std::string_view condition, const PacketBuilder& builder) {
    Firewall box(forward("-A FORWARD " + std::string(condition) + " -j DROP"), Family::Ipv6);
    return box.drops(builder);
}

const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);
const PacketBuilder kUdp6 = udp("[fd00::2]:5000", "[2001:db8::1]:53").payload(10);

}  // namespace

TEST_CASE("addresses, with any mask, and negated") {
    CHECK(matches("-s 10.0.0.0/24", kSyn));
    CHECK_FALSE(matches("-s 10.0.1.0/24", kSyn));
    CHECK(matches("! -s 10.0.1.0/24 -d 192.0.2.1", kSyn));
    CHECK(matches("-s 10.9.0.2/255.0.255.255", kSyn));
    CHECK(matches6("-s fd00::/8 -d 2001:db8::1", kUdp6));
    CHECK_FALSE(matches6("-s fd00::/8 ! -d 2001:db8::/32", kUdp6));
}

TEST_CASE("interfaces, by name and prefix; no interface has an empty name") {
    CHECK(matches("-i lan -o wan", kSyn));
    CHECK(matches("-i la+", kSyn));
    CHECK_FALSE(matches("! -i l+", kSyn));
    CHECK_FALSE(matches("-i la", kSyn));
    CHECK(matches("! -i eth0", kSyn));
    CHECK(matches("-i +", kSyn));
    CHECK_FALSE(matches("! -i +", kSyn));
    Firewall box(
        "*filter\n:U - [0:0]\n-A OUTPUT -j U\n-A U -i +\n-A U -i l+ -j DROP\n-A U ! -i lan\n"
        "COMMIT\n");
    Packet local = box.packet(kSyn, Hook::Output);
    CHECK(box.run(local, rules::TableId::Filter, Hook::Output).verdict == TargetVerdict::Accept);
    CHECK(box.count("U", 1) == "1:40");
    CHECK(box.count("U", 3) == "1:40");
}

TEST_CASE("protocols") {
    CHECK(matches("-p tcp", kSyn));
    CHECK(matches("! -p udp", kSyn));
    CHECK(matches("-p 6", kSyn));
    CHECK(matches("-p all", kSyn));
    CHECK_FALSE(matches("-p icmp", kSyn));
}

TEST_CASE("ports and flags of TCP, ports of UDP") {
    CHECK(matches("-p tcp --dport 80", kSyn));
    CHECK(matches("-p tcp --dport http --sport 1024:", kSyn));
    CHECK_FALSE(matches("-p tcp ! --dport 70:90", kSyn));
    CHECK(matches("-p tcp --syn", kSyn));
    CHECK_FALSE(matches("-p tcp ! --syn", kSyn));
    CHECK_FALSE(matches("-p tcp --syn", tcp("10.0.0.2:1", "192.0.2.1:2").syn().ack(1)));
    CHECK(matches("-p tcp --tcp-flags SYN,ACK SYN,ACK",
                  tcp("10.0.0.2:1", "192.0.2.1:2").syn().ack(1)));
    CHECK(matches("-p tcp --tcp-flags ALL NONE", tcp("10.0.0.2:1", "192.0.2.1:2").flags(0)));
    CHECK(matches("-p udp --dport domain", kUdp));
    CHECK(matches6("-p udp --sport 5000", kUdp6));
}

TEST_CASE("a TCP option is found by its kind, however the options are broken") {
    const auto with = [](std::vector<std::uint8_t> options) {
        return tcp("10.0.0.2:1", "192.0.2.1:2").syn().options(std::move(options));
    };
    CHECK(matches("-p tcp --tcp-option 3", with({1, 3, 3, 7})));
    CHECK_FALSE(matches("-p tcp --tcp-option 3", kSyn));
    CHECK(matches("-p tcp ! --tcp-option 3", kSyn));
    CHECK_FALSE(matches("-p tcp --tcp-option 3", with({8, 4, 3, 3})));
    CHECK(matches("-p tcp --tcp-option 3", with({8, 0, 3, 3})));
    CHECK_FALSE(matches("-p tcp --tcp-option 9", with({8, 200, 1, 1})));
}

TEST_CASE("a header that is cut short drops the packet, whatever the rule wanted") {
    Firewall box(forward("-A FORWARD -p tcp --dport 81 -j ACCEPT"));
    CHECK(box.drops(tcp("10.0.0.2:40000", "192.0.2.1:80").syn().fragment(0, false, 19)));
    CHECK(box.count("FORWARD", 1) == "0:0");
    CHECK(box.count("FORWARD", 0) == "0:0");
    CHECK(box.accepts(kSyn));
}

TEST_CASE("a fragment behind the first has no ports, and one that overwrites a TCP header dies") {
    Firewall box(forward("-A FORWARD -p tcp --dport 0:65535 -j REJECT\n-A FORWARD -f -j DROP"));
    const PacketBuilder whole = tcp("10.0.0.2:40000", "192.0.2.1:80").payload(200);
    PacketBuilder first = whole;
    PacketBuilder second = whole;
    PacketBuilder evil = whole;
    CHECK(box.forward(first.fragment(0, true, 64)).verdict == TargetVerdict::Reject);
    CHECK(box.forward(second.fragment(64, false, 64)).verdict == TargetVerdict::Drop);
    CHECK(box.count("FORWARD", 2) == "1:84");
    CHECK(box.forward(evil.fragment(8, true, 64)).verdict == TargetVerdict::Drop);
    CHECK(box.count("FORWARD", 2) == "1:84");
}

TEST_CASE("ICMP types and codes") {
    const PacketBuilder unreachable = ip(1, "10.0.0.2", "192.0.2.1").icmp(3, 4, 0);
    CHECK(matches("-p icmp --icmp-type ping", ping("10.0.0.2", "192.0.2.1")));
    CHECK(matches("-p icmp --icmp-type 3", unreachable));
    CHECK(matches("-p icmp --icmp-type fragmentation-needed", unreachable));
    CHECK_FALSE(matches("-p icmp --icmp-type 3/1", unreachable));
    CHECK(matches("-p icmp ! --icmp-type 3/1", unreachable));
    CHECK(matches("-p icmp --icmp-type any", unreachable));
}

TEST_CASE("without a connection, conntrack answers with the state alone") {
    CHECK(matches("-m conntrack --ctstate INVALID", kSyn));
    CHECK_FALSE(matches("-m conntrack --ctstate NEW,ESTABLISHED", kSyn));
    CHECK(matches("-m conntrack --ctstate INVALID --ctstatus ASSURED", kSyn));
    CHECK_FALSE(matches("-m conntrack --ctstatus NONE", kSyn));
    CHECK_FALSE(matches("-m conntrack ! --ctorigsrc 1.2.3.4", kSyn));
}

TEST_CASE("what tracking knows: states, tuples, status, expiry, direction") {
    Firewall box(
        forward("-A FORWARD -m conntrack --ctstate NEW\n"
                "-A FORWARD -m state --state ESTABLISHED\n"
                "-A FORWARD -m conntrack --ctorigsrc 10.0.0.2 --ctreplsrc 192.0.2.0/24\n"
                "-A FORWARD -m conntrack --ctorigdstport 53 --ctproto udp\n"
                "-A FORWARD -m conntrack --ctstatus CONFIRMED\n"
                "-A FORWARD -m conntrack --ctstatus SEEN_REPLY\n"
                "-A FORWARD -m conntrack --ctexpire 0\n"
                "-A FORWARD -m conntrack --ctexpire 25:30\n"
                "-A FORWARD -m conntrack --ctdir REPLY"));
    box.conntrack.set_active(Family::Ipv4, true, box.now);
    const auto pass = [&](const PacketBuilder& builder) {
        Packet shown = box.packet(builder);
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
        box.run(shown);
        REQUIRE(box.conntrack.confirm(shown, box.now).accepted());
    };
    const auto hits = [&] {
        std::string text;
        for (std::size_t i = 1; i <= 9; ++i) {
            const std::string count = box.count("FORWARD", i);
            text += count.substr(0, count.find(':'));
        }
        return text;
    };
    pass(kUdp);
    CHECK(hits() == "101100100");
    pass(udp("192.0.2.1:53", "10.0.0.2:5000").payload(10));
    CHECK(hits() == "112211111");
}

TEST_CASE("several ports, address ranges, lengths") {
    CHECK(matches("-p tcp -m multiport --dports 22,80,443", kSyn));
    CHECK(matches("-p tcp -m multiport --ports 1,40000:40001", kSyn));
    CHECK_FALSE(matches("-p tcp -m multiport ! --dports 70:90", kSyn));
    CHECK(matches("-m iprange --src-range 10.0.0.1-10.0.0.2", kSyn));
    CHECK_FALSE(matches("-m iprange --src-range 10.0.0.3-10.0.0.9", kSyn));
    CHECK(matches("-m iprange ! --dst-range 10.0.0.0-10.0.0.9", kSyn));
    CHECK(matches("-m length --length 40", kSyn));
    CHECK(matches("-m length ! --length 41:", kSyn));
    CHECK(matches6("-m length --length 58", kUdp6));
}

TEST_CASE("TTL, DSCP, TOS, ECN, packet type") {
    PacketBuilder marked = kSyn;
    marked.ttl(9).tos(0xb9);
    CHECK(matches("-m ttl --ttl-eq 9", marked));
    CHECK(matches("-m ttl --ttl-lt 10", marked));
    CHECK_FALSE(matches("-m ttl --ttl-gt 9", marked));
    CHECK(matches("-m dscp --dscp-class EF", marked));
    CHECK(matches("-m tos --tos 0xb9", marked));
    CHECK(matches("-m tos ! --tos Minimize-Delay", marked));
    CHECK(matches("-m ecn --ecn-ip-ect 1", marked));
    CHECK_FALSE(matches("-m ecn --ecn-ip-ect 2", marked));
    CHECK(matches("-p tcp -m ecn --ecn-tcp-cwr ! --ecn-tcp-ece",
                  tcp("10.0.0.2:1", "192.0.2.1:2").flags(0x82)));
    CHECK(matches("-m pkttype --pkt-type unicast", marked));
    CHECK_FALSE(matches("-m pkttype --pkt-type multicast", marked));
    CHECK(matches6("-m hl --hl-eq 64", kUdp6));
}

TEST_CASE("marks of packets") {
    Firewall box(forward("-A FORWARD -m mark --mark 0x10/0xf0 -j DROP"));
    Packet shown = box.packet(kSyn);
    CHECK(box.run(shown).verdict == TargetVerdict::Accept);
    shown.meta.mark = 0x1f;
    CHECK(box.run(shown).verdict == TargetVerdict::Drop);
}

TEST_CASE("types of addresses") {
    CHECK(matches("-m addrtype --dst-type LOCAL", tcp("10.0.0.2:1", "198.51.100.7:2")));
    CHECK(matches("-m addrtype --src-type UNICAST ! --dst-type LOCAL", kSyn));
    CHECK(matches("-m addrtype --dst-type UNICAST,LOCAL", kSyn));
    CHECK_FALSE(matches("-m addrtype --dst-type LOCAL --limit-iface-in",
                        tcp("10.0.0.2:1", "198.51.100.7:2")));
}

TEST_CASE("the way back must lead to where a packet came from") {
    Firewall box("*raw\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n");
    Packet honest = box.packet(kSyn, Hook::Prerouting);
    CHECK(box.run(honest, rules::TableId::Raw, Hook::Prerouting).verdict == TargetVerdict::Accept);
    Packet forged = box.packet(tcp("203.0.113.9:1", "192.0.2.1:2"), Hook::Prerouting);
    CHECK(box.run(forged, rules::TableId::Raw, Hook::Prerouting).verdict == TargetVerdict::Drop);
}

TEST_CASE("bytes of the packet") {
    const PacketBuilder text = udp("10.0.0.2:1", "192.0.2.1:2").data("say Hello");
    CHECK(matches("-m string --string Hello --algo bm", text));
    CHECK_FALSE(matches("-m string --string hello --algo bm", text));
    CHECK(matches("-m string --string hello --algo kmp --icase", text));
    CHECK(matches("-m string --hex-string \"|48 65|llo\" --algo bm --from 30", text));
    CHECK_FALSE(matches("-m string --string Hello --algo bm --to 36", text));
    CHECK(matches("-m string --string Hello --algo bm --to 37", text));
    CHECK(matches("-m string ! --string nope --algo bm", text));
    CHECK(matches("-m u32 --u32 \"6&0xFF=17\"", text));
    CHECK(matches("-m u32 --u32 \"0>>22&0x3C@0>>16=1\"", text));
    CHECK_FALSE(matches("-m u32 --u32 \"6&0xFF=6\"", text));
    CHECK_FALSE(matches("-m u32 --u32 \"100=0:0xffffffff\"", text));
    CHECK_FALSE(matches("-m u32 --u32 \"0@0xfffffff0=0:0xffffffff\"", text));
}

TEST_CASE("a string is found wherever it is, also where it begins in its own beginnings") {
    const auto finds = [](const std::string& pattern, const std::string& data) {
        return matches("-m string --string " + pattern + " --algo kmp --from 28",
                       udp("10.0.0.2:1", "192.0.2.1:2").data(data));
    };
    for (unsigned text = 0; text < 256; ++text) {
        std::string data;
        for (unsigned bits = text, i = 0; i < 8; ++i, bits >>= 1) {
            data += (bits & 1) != 0 ? 'b' : 'a';
        }
        for (const char* pattern : {"a", "ab", "aab", "abab", "aabaaa", "abaabab"}) {
            CHECK(finds(pattern, data) == (data.find(pattern) != std::string::npos));
        }
    }
}

TEST_CASE("MSS of a SYN") {
    PacketBuilder with = kSyn;
    with.options({2, 4, 5, 0xb4});
    CHECK(matches("-p tcp -m tcpmss --mss 1400:1500", with));
    CHECK_FALSE(matches("-p tcp -m tcpmss ! --mss 1460", with));
    CHECK_FALSE(matches("-p tcp -m tcpmss --mss 1400:1500", kSyn));
    CHECK(matches("-p tcp -m tcpmss ! --mss 1400:1500", kSyn));
}

TEST_CASE("chunks of SCTP, and a chunk of no length drops the packet") {
    const auto sctp = [](std::string chunks) {
        std::string text("\x12\x34\x00\x50\0\0\0\1\0\0\0\0", 12);
        return ip(132, "10.0.0.2", "192.0.2.1").data(text + chunks);
    };
    const std::string init("\x01\x00\x00\x04", 4);
    const std::string data("\x00\x03\x00\x04", 4);
    CHECK(matches("-p sctp --dport 80 --chunk-types any INIT", sctp(init)));
    CHECK_FALSE(matches("-p sctp --chunk-types all INIT,DATA", sctp(init)));
    CHECK(matches("-p sctp --chunk-types all INIT,DATA", sctp(init + data)));
    CHECK(matches("-p sctp --chunk-types only DATA:BE", sctp(data)));
    CHECK_FALSE(matches("-p sctp --chunk-types only DATA:Be", sctp(data)));
    Firewall box(forward("-A FORWARD -p sctp --chunk-types any INIT -j ACCEPT"));
    CHECK(box.drops(sctp(std::string(4, '\0'))));
}

TEST_CASE("extension headers of IPv6 and security headers") {
    CHECK(matches6("-m ipv6header --header prot", kUdp6));
    CHECK_FALSE(matches6("-m ipv6header --header hop --soft", kUdp6));
    CHECK_FALSE(matches6("-m frag --fragid 0:4294967295", kUdp6));
    const PacketBuilder esp =
        ip(50, "10.0.0.2", "192.0.2.1").data(std::string("\0\0\0\x64\0\0\0\1", 8));
    CHECK(matches("-p esp -m esp --espspi 100", esp));
    CHECK_FALSE(matches("-p esp -m esp --espspi 101:200", esp));
}
