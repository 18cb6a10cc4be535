// What targets do to packets, and what they leave to the pipeline.
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;
using rules::TargetVerdict;

namespace {

const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);

// The packet after a rule of mangle FORWARD.
Packet mangled(Firewall& box, const PacketBuilder& builder) {
    Packet shown = box.packet(builder);
    CHECK(box.run(shown, TableId::Mangle).verdict == TargetVerdict::Accept);
    return shown;
}

bool checksums_right(const Packet& packet) {
    const auto header = packet.bytes().first(packet.layout.l4_offset);
    const auto l4 = packet.l4();
    const std::uint16_t pseudo =
        wire::pseudo_header_sum(packet.layout.source, packet.layout.destination,
                                packet.layout.protocol, static_cast<std::uint32_t>(l4.size()));
    return wire::checksum(header) == 0 && static_cast<std::uint16_t>(~wire::sum(l4, pseudo)) == 0;
}

rules::TableVerdict nat_of(std::string_view rule, Hook hook, const PacketBuilder& builder) {
    const std::string chain(name_of(hook));
    Firewall box("*nat\n-A " + chain + " " + std::string(rule) + "\nCOMMIT\n");
    Packet shown = box.packet(builder, hook);
    return box.run(shown, TableId::Nat, hook);
}

}  // namespace

TEST_CASE("MARK sets, masks, ands, ors and xors") {
    Firewall box(
        "*mangle\n-A FORWARD -j MARK --set-mark 0x0f\n-A FORWARD -j MARK --set-xmark 0xf0/0xff\n"
        "-A FORWARD -j MARK --or-mark 1\n-A FORWARD -j MARK --and-mark 0x71\n"
        "-A FORWARD -j MARK --xor-mark 3\nCOMMIT\n");
    CHECK(mangled(box, kUdp).meta.mark == 0x72);
}

TEST_CASE("CONNMARK carries marks between packet and connection") {
    Firewall box(
        "*mangle\n-A PREROUTING -j CONNMARK --restore-mark\n"
        "-A FORWARD -j CONNMARK --set-mark 5\n-A POSTROUTING -j CONNMARK --save-mark\nCOMMIT\n");
    box.conntrack.set_active(Family::Ipv4, true, box.now);
    Packet shown = box.packet(kUdp);
    REQUIRE(box.conntrack.track(shown, box.now).accepted());
    const Mark& mark = box.conntrack.table()[shown.meta.conn].mark;
    box.run(shown, TableId::Mangle, Hook::Forward);
    CHECK(mark == 5);
    box.run(shown, TableId::Mangle, Hook::Prerouting);
    CHECK(shown.meta.mark == 5);
    shown.meta.mark = 9;
    box.run(shown, TableId::Mangle, Hook::Postrouting);
    CHECK(mark == 9);
    box.conntrack.release(shown);
}

TEST_CASE("REJECT says with what, and is left to the pipeline") {
    using rules::RejectWith;
    Firewall box(
        forward("-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n"
                "-A FORWARD -p udp -j REJECT\n"
                "-A FORWARD -j REJECT --reject-with admin-prohib"));
    CHECK(box.forward(kSyn).verdict == TargetVerdict::Reject);
    CHECK(box.forward(kSyn).reject == RejectWith::TcpReset);
    CHECK(box.forward(kUdp).reject == RejectWith::PortUnreachable);
    CHECK(box.forward(ping("10.0.0.2", "192.0.2.1")).reject == RejectWith::AdminProhibited);
}

TEST_CASE("NOTRACK and CT decide once, before tracking looks") {
    Firewall box(
        "*raw\n-A PREROUTING -p tcp -j CT --notrack\n-A PREROUTING -j CT --zone-orig 5\n"
        "-A PREROUTING -j CT --zone 7\nCOMMIT\n");
    Packet untracked = box.packet(kSyn, Hook::Prerouting);
    box.run(untracked, TableId::Raw, Hook::Prerouting);
    CHECK(untracked.meta.ct_info == CtInfo::Untracked);
    CHECK(untracked.meta.ct_seen);
    CHECK(untracked.meta.zone == 0);
    Packet zoned = box.packet(kUdp, Hook::Prerouting);
    box.run(zoned, TableId::Raw, Hook::Prerouting);
    CHECK(zoned.meta.zone == 5);
    CHECK(bool{zoned.meta.zone_original});
    CHECK_FALSE(bool{zoned.meta.zone_reply});
}

TEST_CASE("SNAT and DNAT give ranges") {
    const auto source =
        nat_of("-p udp -j SNAT --to-source 192.0.2.1-192.0.2.5:1024-2047 --persistent",
               Hook::Postrouting, kUdp);
    CHECK(source.verdict == TargetVerdict::Nat);
    CHECK(source.range.max_address == *parse_address("192.0.2.5"));
    CHECK(source.range.min_port == 1024);
    CHECK(source.range.persistent);
    CHECK_FALSE(source.range.random);
    const auto destination =
        nat_of("-p udp -j DNAT --to-destination :53-60/5000 --random", Hook::Prerouting, kUdp);
    CHECK_FALSE(destination.range.map_addresses);
    CHECK(destination.range.offset_ports);
    CHECK(destination.range.base_port == 5000);
    CHECK(destination.range.random);
}

TEST_CASE("MASQUERADE and REDIRECT take the address of the interface, NETMAP that of the packet") {
    const auto masquerade = nat_of("-j MASQUERADE --random-fully", Hook::Postrouting, kUdp);
    CHECK(masquerade.range.min_address == *parse_address("198.51.100.7"));
    CHECK(masquerade.range.masquerade);
    CHECK(masquerade.range.interface == kWan);
    CHECK(masquerade.range.random_fully);
    const auto redirect = nat_of("-p udp -j REDIRECT --to-ports 5353", Hook::Prerouting, kUdp);
    CHECK(redirect.range.min_address == *parse_address("10.0.0.1"));
    CHECK(redirect.range.max_port == 5353);
    const auto local = nat_of("-p udp -j REDIRECT", Hook::Output, kUdp);
    CHECK(local.range.min_address == *parse_address("127.0.0.1"));
    const auto out = nat_of("-j NETMAP --to 172.16.5.0/24", Hook::Postrouting, kUdp);
    CHECK(out.range.min_address == *parse_address("172.16.5.2"));
    const auto in = nat_of("-j NETMAP --to 172.16.0.0/16", Hook::Prerouting, kUdp);
    CHECK(in.range.max_address == *parse_address("172.16.2.1"));
}

TEST_CASE("TTL, TOS and DSCP are rewritten with the checksum") {
    Firewall box(
        "*mangle\n-A FORWARD -p udp -j TTL --ttl-dec 100\n-A FORWARD -p tcp -j TTL --ttl-inc 250\n"
        "-A FORWARD -j TOS --set-tos 0x13/0xff\n-A FORWARD -j DSCP --set-dscp-class EF\nCOMMIT\n");
    const Packet low = mangled(box, kUdp);
    CHECK(low.layout.ttl == 0);
    CHECK(low.layout.tos == ((0x2e << 2) | 0x03));
    CHECK(checksums_right(low));
    CHECK(mangled(box, kSyn).layout.ttl == 255);
}

TEST_CASE("ECN flags are removed from TCP") {
    Firewall box("*mangle\n-A FORWARD -p tcp -j ECN --ecn-tcp-remove\nCOMMIT\n");
    const Packet packet = mangled(box, tcp("10.0.0.2:1", "192.0.2.1:2").flags(0xc2));
    CHECK(packet.l4()[13] == 0x02);
    CHECK(checksums_right(packet));
}

TEST_CASE("TCPMSS lowers an MSS, never raises it") {
    Firewall box("*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1200\nCOMMIT\n");
    PacketBuilder with = kSyn;
    const Packet lowered = mangled(box, with.options({2, 4, 5, 0xb4}));
    CHECK(wire::load16(lowered.l4().data() + 22) == 1200);
    CHECK(checksums_right(lowered));
    PacketBuilder small = kSyn;
    CHECK(wire::load16(mangled(box, small.options({2, 4, 2, 0})).l4().data() + 22) == 512);
}

TEST_CASE("TCPMSS leaves a right checksum where the value spans two words of it") {
    Firewall box("*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1200\nCOMMIT\n");
    for (const std::size_t nops : {0u, 1u, 2u, 3u}) {
        std::vector<std::uint8_t> options(8, 1);
        const std::vector<std::uint8_t> mss = {2, 4, 5, 0xb4};
        std::copy(mss.begin(), mss.end(), options.begin() + static_cast<std::ptrdiff_t>(nops));
        PacketBuilder with = kSyn;
        const Packet lowered = mangled(box, with.options(options));
        CHECK(wire::load16(lowered.l4().data() + 22 + nops) == 1200);
        CHECK(checksums_right(lowered));
    }
}

TEST_CASE("TCPMSS clamps to the narrower side of the path") {
    Firewall box("*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu\nCOMMIT\n");
    PacketBuilder with = kSyn;
    CHECK(wire::load16(mangled(box, with.options({1, 1, 2, 4, 5, 0xb4, 1, 1})).l4().data() + 24) ==
          1360);
}

TEST_CASE("TCPMSS adds the option where it is missing, unless data is in the way") {
    Firewall box("*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1200\nCOMMIT\n");
    const Packet grown = mangled(box, kSyn);
    CHECK(grown.size() == 44);
    CHECK(grown.layout.total_length == 44);
    CHECK(wire::load32(grown.l4().data() + 20) == 0x02040218);  // 536, RFC 1122's default
    CHECK(checksums_right(grown));
    PacketBuilder data = kSyn;
    CHECK(mangled(box, data.payload(3)).size() == 43);
}

TEST_CASE("TCPOPTSTRIP turns options into NOPs, at odd and even offsets") {
    Firewall box("*mangle\n-A FORWARD -p tcp -j TCPOPTSTRIP --strip-options wscale,77\nCOMMIT\n");
    PacketBuilder with = kSyn;
    const Packet packet = mangled(box, with.options({1, 3, 3, 7, 2, 4, 5, 0xb4, 77, 2, 0, 0}));
    const std::vector<std::uint8_t> options(packet.l4().begin() + 20, packet.l4().end());
    CHECK(options == std::vector<std::uint8_t>{1, 1, 1, 1, 2, 4, 5, 0xb4, 1, 1, 0, 0});
    CHECK(checksums_right(packet));
}

TEST_CASE("TCPOPTSTRIP drops what claims a header shorter than any, or longer than itself") {
    Firewall box("*mangle\n-A FORWARD -p tcp -j TCPOPTSTRIP --strip-options 4\nCOMMIT\n");
    for (const int words : {3, 4, 6, 15}) {
        Packet broken = box.packet(kSyn, Hook::Forward);
        broken.l4()[12] = static_cast<std::uint8_t>(words << 4);
        CHECK(box.run(broken, rules::TableId::Mangle, Hook::Forward).verdict ==
              TargetVerdict::Drop);
    }
}

TEST_CASE("LOG writes the kernel's line") {
    Firewall box(
        forward("-A FORWARD -p tcp -j LOG --log-prefix \"seen: \" --log-level info"
                " --log-tcp-sequence --log-tcp-options\n-A FORWARD -p udp -j LOG"));
    PacketBuilder with = kSyn;
    CHECK(box.accepts(with.id(7).dont_fragment().seq(1000).options({2, 4, 5, 0xb4})));
    REQUIRE(box.log.lines.size() == 1);
    CHECK(box.log.levels[0] == LogLevel::Info);
    CHECK(box.log.lines[0] ==
          "seen: IN=lan OUT=wan MAC= SRC=10.0.0.2 DST=192.0.2.1 LEN=44 TOS=0x00 PREC=0x00 TTL=64 "
          "ID=7 DF "
          "PROTO=TCP SPT=40000 DPT=80 SEQ=1000 ACK=0 WINDOW=1000 RES=0x00 SYN URGP=0 OPT "
          "(020405B4) ");
    Packet marked = box.packet(kUdp);
    marked.meta.mark = 0x10;
    box.run(marked);
    CHECK(box.log.lines[1] ==
          "IN=lan OUT=wan MAC= SRC=10.0.0.2 DST=192.0.2.1 LEN=38 TOS=0x00 PREC=0x00 TTL=64 ID=1 "
          "PROTO=UDP SPT=5000 DPT=53 LEN=18 MARK=0x10 ");
}

TEST_CASE("LOG shows what an ICMP error quotes") {
    Firewall box(forward("-A FORWARD -j LOG"));
    PacketBuilder error = ip(1, "10.0.0.2", "192.0.2.1");
    CHECK(box.accepts(error.icmp(3, 4, 1400).quoting(kUdp)));
    CHECK(box.log.lines[0].find("PROTO=ICMP TYPE=3 CODE=4 [SRC=10.0.0.2 DST=192.0.2.1 LEN=38 ") !=
          std::string::npos);
    CHECK(box.log.lines[0].ends_with("PROTO=UDP SPT=5000 DPT=53 LEN=18 ] MTU=1400 "));
}

TEST_CASE("LOG of a TCP header that is cut short has no mark, of other protocols just a number") {
    Firewall box(forward("-A FORWARD -j LOG"));
    Packet cut = box.packet(tcp("10.0.0.2:1", "192.0.2.1:2").fragment(0, false, 5));
    cut.meta.mark = 0x10;
    box.run(cut);
    CAPTURE(box.log.lines[0]);
    CHECK(box.log.lines[0].ends_with("PROTO=TCP INCOMPLETE [5 bytes] "));
    box.accepts(ip(253, "10.0.0.2", "192.0.2.1").data("abc"));
    CHECK(box.log.lines[1].ends_with("LEN=23 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=253 "));
}
