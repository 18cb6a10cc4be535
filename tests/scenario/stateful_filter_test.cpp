#include <doctest/doctest.h>

#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {
constexpr const char* kStateful =
    "*filter\n"
    ":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT\n"
    "COMMIT\n";
}

TEST_CASE("stateful filter: answers may come in, strangers may not") {
    World w = given(kStateful);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("?"));
    w.expect("wan", udp("10.0.0.2:4000", "198.51.100.7:53").data("?").ttl(63));
    w.when("wan", udp("198.51.100.7:53", "10.0.0.2:4000").data("!"));
    w.expect("lan", udp("198.51.100.7:53", "10.0.0.2:4000").data("!").ttl(63));
    w.when("wan", udp("198.51.100.7:53", "10.0.0.2:4001").data("!"));
    w.expect_drop(DropReason::PolicyDrop);
    w.expect_entries(1);
    w.expect_rule_packets("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", 1);
}

TEST_CASE("stateful filter: a connection whose first packet is dropped leaves no entry") {
    World w = given(kStateful);
    w.when("wan", tcp("198.51.100.7:4000", "10.0.0.2:22").syn());
    w.expect_drop(DropReason::PolicyDrop);
    w.expect_no_entry();
}

TEST_CASE("reject: the sender is told, and the packet counts as rejected") {
    World w = given(
        "*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n-A FORWARD -j "
        "REJECT\nCOMMIT\n");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:22").syn().seq(77));
    w.expect("lan",
             tcp("198.51.100.7:22", "10.0.0.2:4000").rst().ack(78).win(0).id(0).dont_fragment());
    w.expect_drop(DropReason::RuleReject);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("x"));
    w.expect_icmp("lan", 3, 3);
    w.expect_drop(DropReason::RuleReject);
    w.expect_no_entry();
}

TEST_CASE("forwarding: TTL, routes and MTU end a packet with an error and a reason") {
    World w = given("");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").ttl(1));
    w.expect_icmp("lan", 11, 0).expect_drop(DropReason::TtlExpired);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").payload(1600).dont_fragment());
    w.expect_icmp("lan", 3, 4).expect_drop(DropReason::TooBig);
    w.when("lan", udp("10.0.0.1:4000", "198.51.100.7:53"));
    w.expect_drop(DropReason::MartianSource);
    w.when("lan", udp("10.0.0.2:4000", "127.0.0.1:53"));
    w.expect_drop(DropReason::MartianDestination);
    w.when("lan", udp("10.0.0.2:4000", "10.0.0.1:53"));
    w.expect_icmp("lan", 3, 3).expect_drop(DropReason::LocalNoListener);
}

TEST_CASE(
    "zones: one for the reply direction keeps apart what has the same tuple the other way round") {
    World w = given("*raw\n-A PREROUTING -i wan -j CT --zone-reply 3\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:22", "198.51.100.7:1025").data("a"));
    w.expect("wan", udp("10.0.0.2:22", "198.51.100.7:1025").data("a").ttl(63));
    w.when("wan", udp("198.51.100.7:1025", "10.0.0.2:22").data("b"));
    w.expect("lan", udp("198.51.100.7:1025", "10.0.0.2:22").data("b").ttl(63));
    w.expect_entries(2);
}

TEST_CASE("raw: what CT has decided about a packet, NOTRACK leaves alone") {
    World w =
        given("*raw\n-A PREROUTING -p udp -j CT --zone mark\n-A PREROUTING -j NOTRACK\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("?")).forget();
    w.expect_entry("udp 17 src=10.0.0.2 dst=198.51.100.7 sport=4000 dport=53");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:53").syn()).forget();
    w.expect_entries(1);
}

TEST_CASE("zones: NAT finds no port for what meets its own mirror image") {
    World w = given("*raw\n-A PREROUTING -i wan -j CT --zone-reply 3\nCOMMIT\n*nat\nCOMMIT\n");
    w.when("wan", udp("198.51.100.7:1024", "10.0.0.2:53").data("?"));
    w.expect("lan", udp("198.51.100.7:1024", "10.0.0.2:53").data("?").ttl(63));
    w.when("lan", udp("10.0.0.2:53", "198.51.100.7:1024").data("!"));
    w.expect_drop(DropReason::ConfirmClash);
    w.expect_nothing();
}

TEST_CASE("log_invalid: the kernel's words, and the packet with all its details") {
    World::Setup setup;
    setup.conntrack.log_invalid = 255;
    setup.conntrack.tcp_loose = 0;
    World w = given(std::move(setup));
    w.when("lan", tcp("10.0.0.2:1025", "198.51.100.7:80").fin().seq(1000).ack(2000)).forget();
    REQUIRE(w.log().size() == 2);  // after the line that says tracking is loaded
    CHECK(
        w.log()[1] ==
        "nf_ct_proto_6: invalid new IN=lan OUT= MAC= SRC=10.0.0.2 DST=198.51.100.7 LEN=40 TOS=0x00 "
        "PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1025 DPT=80 SEQ=1000 ACK=2000 WINDOW=1000 RES=0x00 "
        "ACK FIN URGP=0 ");
}

TEST_CASE("hashlimit: the SPI of ESP and AH counts as ports") {
    World w = given(
        "*filter\n-A FORWARD -p esp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 "
        "--hashlimit-mode srcport,dstport --hashlimit-name spi -j DROP\nCOMMIT\n");
    w.when("lan", ip(50, "10.0.0.2", "198.51.100.7").data("aaaaflow"));
    w.expect_drop(DropReason::RuleDrop);
    w.when("lan", ip(50, "10.0.0.2", "198.51.100.7").data("bbbbflow"));
    w.expect_drop(DropReason::RuleDrop);
    w.when("lan", ip(50, "10.0.0.2", "198.51.100.7").data("aaaaflow"));
    w.expect("wan", ip(50, "10.0.0.2", "198.51.100.7").data("aaaaflow").ttl(63));
}

TEST_CASE("hashlimit: ports of an IPv6 packet that says there is nothing are asked for in vain") {
    World w = given({.rules_v6 = "*filter\n-A FORWARD -m hashlimit --hashlimit-upto 5/s "
                                 "--hashlimit-mode srcport --hashlimit-name none\nCOMMIT\n"});
    w.when("lan", ip(59, "fd00:1::2", "2001:db8::7")).expect_drop(DropReason::RuleDrop);
    w.when("lan", ip(89, "fd00:1::2", "2001:db8::7"));
    w.expect("wan", ip(89, "fd00:1::2", "2001:db8::7").ttl(63));
}

TEST_CASE("zones: TCP that meets its own mirror image gets another port") {
    World w = given("*raw\n-A PREROUTING -i wan -j CT --zone-reply 3\nCOMMIT\n*nat\nCOMMIT\n");
    w.when("wan", tcp("198.51.100.7:1024", "10.0.0.2:80").syn()).forget();
    w.when("lan", tcp("10.0.0.2:80", "198.51.100.7:1024").syn().ack(1)).forget();
    w.when("lan", tcp("10.0.0.2:80", "198.51.100.7:1024").ack(1)).forget();
    w.expect_entries(2);
}

TEST_CASE(
    "filter: a rule with a protocol drops an IPv6 packet whose chain of headers is cut short") {
    World::Setup setup;
    setup.rules_v6 = "*filter\n-A FORWARD -o wan -p udp\nCOMMIT\n";
    World w = given(std::move(setup));
    w.when("lan", ip(60, "fd00:1::2", "2001:db8:9::7"));
    w.expect_drop(DropReason::RuleDrop);
    w.expect_nothing();
}

TEST_CASE("zones: CT --zone mark is the mark that the packet has when it is tracked") {
    World w = given(
        "*raw\n-A PREROUTING -j CT --zone mark\n-A PREROUTING -j MARK --set-mark 7\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("?")).forget();
    w.expect_entry(
        "udp 17 src=10.0.0.2 dst=198.51.100.7 sport=4000 dport=53 [UNREPLIED] src=198.51.100.7 "
        "dst=10.0.0.2 sport=53 dport=4000 mark=0 secmark=0 zone=7");
}

TEST_CASE("zones: of two connections that a packet belongs to, the younger gets it") {
    World w = given(
        "*raw\n-A PREROUTING -i lan -j CT --zone-orig 3\nCOMMIT\n"
        "*nat\n-A PREROUTING -i wan -j DNAT --to-destination 10.0.0.9\nCOMMIT\n");
    w.when("wan", ip(50, "198.51.100.7", "10.0.0.2").data("01234567"));
    w.expect("lan", ip(50, "198.51.100.7", "10.0.0.9").data("01234567").ttl(63));
    w.when("lan", ip(50, "10.0.0.2", "198.51.100.7").data("01234567")).forget();
    w.expect_entries(2);
    w.when("wan", ip(50, "198.51.100.7", "10.0.0.2").data("01234567"));
    w.expect("lan", ip(50, "198.51.100.7", "10.0.0.2").data("01234567").ttl(63));
}

TEST_CASE("connlimit: the last ACK of the only connection is no lack of memory") {
    World w =
        given("*filter\n-A FORWARD -p tcp -m connlimit --connlimit-above 2 -j DROP\nCOMMIT\n");
    w.established("10.0.0.2:4000", "198.51.100.7:80").forget();
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").fin().seq(1001).ack(5001)).forget();
    w.when("wan", tcp("198.51.100.7:80", "10.0.0.2:4000").fin().seq(5001).ack(1002)).forget();
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").ack(5002).seq(1002));
    w.expect("wan", tcp("10.0.0.2:4000", "198.51.100.7:80").ack(5002).seq(1002).ttl(63));
}

TEST_CASE(
    "connlimit: a packet that tracking makes nothing of counts by itself until its connection is "
    "assured") {
    constexpr const char* kUpTo =
        "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m connlimit --connlimit-upto 1 "
        "--connlimit-mask 0 --connlimit-saddr";
    World w = given("*filter\n" + std::string(kUpTo) + "\nCOMMIT\n");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.expect_rule_packets(kUpTo, 1);
    w.when("wan", tcp("198.51.100.7:80", "10.0.0.2:4000").syn().ack(1001).seq(5000)).forget();
    w.when("wan", tcp("198.51.100.7:80", "10.0.0.2:4000").syn().seq(7000)).forget();
    w.expect_rule_packets(kUpTo, 1);
}

TEST_CASE("reassembly drops what ends within its fragment header, unless that says all there is") {
    World w = given("*filter\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n");
    w.when("lan", ip(44, "fd00:1::2", "2001:db8:9::7").data("2"));
    w.expect_drop(DropReason::FragmentMalformed);
    w.when("lan", ip(44, "fd00:1::2", "2001:db8:9::7").data(std::string("2\0\0\0", 4))).forget();
    w.when("lan", ip(44, "fd00:1::2", "2001:db8:9::7"));  // what has no payload is no fragment
    w.expect("wan", ip(44, "fd00:1::2", "2001:db8:9::7").ttl(63));
    w.expect_entry("unknown 50 ");
}

TEST_CASE("raw: an error about an untracked packet is tracked, whatever OUTPUT says") {
    World w = given(
        "*raw\n-A PREROUTING -p udp -j NOTRACK\n-A OUTPUT -j NOTRACK\nCOMMIT\n"
        "*filter\n-A FORWARD -j REJECT\n-A OUTPUT -m conntrack --ctstate INVALID\nCOMMIT\n");
    w.when("wan", udp("198.51.100.7:53", "10.0.0.3:500").data("x"));
    w.expect_icmp("wan", 3, 3).expect_drop(DropReason::RuleReject);
    w.expect_rule_packets("-A OUTPUT -m conntrack --ctstate INVALID", 1);
    CHECK(w.router().conntrack().stats().icmp_error == 1);
}

TEST_CASE("tcp: a reset that answers nothing teaches nothing about the window of its sender") {
    World w = given("*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n");
    const auto client = tcp("10.0.0.2:4000", "198.51.100.7:22");
    const auto server = tcp("198.51.100.7:22", "10.0.0.2:4000");
    w.when("lan", PacketBuilder(client).syn().seq(71000)).forget();
    w.when("wan", PacketBuilder(server).seq(0).ack(71001)).forget();  // let through unseen
    w.when("wan", PacketBuilder(server).rst().seq(1999)).forget();
    w.expect_entry("tcp 6 CLOSE");
    w.when("lan", PacketBuilder(client).seq(71001).ack(1001).data("0123456789"));
    w.expect_drop(DropReason::RuleDrop);
}

TEST_CASE("mangle: a changed IPv6 header does not spoil the checksum behind it") {
    World::Setup setup;
    setup.rules_v6 =
        "*mangle\n-A PREROUTING -p udp -j DSCP --set-dscp 0x2e\n"
        "-A PREROUTING -p udp -j HL --hl-dec 1\nCOMMIT\n";
    World w = given(std::move(setup));
    w.when("lan", udp("[fd00:1::2]:4000", "[fd00:1::1]:53").data(std::string(100, 'x')));
    w.expect_icmp("lan", 1, 4);
    w.when("lan",
           udp("[fd00:1::2]:4000", "[fd00:1::1]:54").data(std::string(100, 'x')).bad_checksum());
    w.expect_nothing();
}

TEST_CASE("hashlimit: a full table drops what is new to it") {
    World w = given(
        "*filter\n-A FORWARD -m hashlimit --hashlimit-upto 5/s --hashlimit-mode srcip "
        "--hashlimit-name few --hashlimit-htable-size 1 --hashlimit-htable-max 2\nCOMMIT\n");
    const auto forwarded = [&](const char* from) {
        w.when("lan", udp(from, "198.51.100.7:53"));
        w.expect("wan", udp(from, "198.51.100.7:53").ttl(63));
    };
    forwarded("10.0.0.2:1");
    forwarded("10.0.0.3:1");
    w.when("lan", udp("10.0.0.4:1", "198.51.100.7:53"));
    w.expect_drop(DropReason::RuleDrop);
    forwarded("10.0.0.2:1");
}

namespace {

// 308 bytes of UDP-Lite, of which the checksum covers the header.
Packet udplite(BufferPool& pool, std::uint16_t checksum) {
    using namespace std::string_literals;
    const std::string text = "\x04\x00\x00\x35\x00\x08"s + std::string(302, '\0');
    std::vector<std::uint8_t> bytes = ip(89, "10.0.0.2", "198.51.100.7").data(text).bytes();
    bytes[9] = 136;
    wire::store16(&bytes[10], static_cast<std::uint16_t>(wire::load16(&bytes[10]) - (136 - 89)));
    wire::store16(&bytes[26], checksum);
    Packet packet(pool, bytes);
    packet.meta.in = IfIndex{1};
    REQUIRE(dissect(packet).accepted());
    return packet;
}

}  // namespace

TEST_CASE("conntrack: of a UDP-Lite packet's length only the low byte is in the checksum") {
    World w = given("*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n");
    EgressQueue out;
    for (const int checksum : {0xc640, 0xc740}) {
        Packet packet = udplite(w.pool(), static_cast<std::uint16_t>(checksum));
        w.router().receive({&packet, 1}, w.now(), out);
    }
    w.expect_drop(DropReason::RuleDrop);
    REQUIRE(out.size() == 1);
    CHECK(wire::load16(out[0].l4().data() + 6) == 0xc740);
}

TEST_CASE("hashlimit: the rule that names a table first decides how it counts") {
    World w = given(
        "*filter\n"
        "-A FORWARD -p udp -m udp --dport 1 -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst "
        "2 "
        "--hashlimit-mode dstip --hashlimit-name one -j ACCEPT\n"
        "-A FORWARD -p udp -m udp --dport 2 -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst "
        "9 "
        "--hashlimit-mode srcip --hashlimit-name one -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n");
    for (const char* from : {"10.0.0.2:1", "10.0.0.3:1"}) {
        w.when("lan", udp(from, "198.51.100.7:2"))
            .expect("wan", udp(from, "198.51.100.7:2").ttl(63));
    }
    w.when("lan", udp("10.0.0.4:1", "198.51.100.7:2")).expect_drop(DropReason::RuleDrop);
}
