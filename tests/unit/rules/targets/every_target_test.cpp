// Every option of every target there is does what its row says; a new one without a row fails here.
#include <algorithm>

#include "core/base/words.hpp"
#include "core/conntrack/record/helper_info.hpp"
#include "core/conntrack/record/told.hpp"
#include "core/rules/save.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "tests/unit/rules/rows.hpp"
#include "tests/unit/rules/targets/target_rows.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;
using rules::TargetVerdict;

namespace {

constexpr Family kV6 = Family::Ipv6;

const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);
const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kUdp6 = udp("[fd00::2]:5000", "[2001:db8::1]:53").payload(10);

constexpr TableId kRaw = TableId::Raw;
constexpr TableId kMangle = TableId::Mangle;
constexpr TableId kNat = TableId::Nat;
constexpr TableId kFilter = TableId::Filter;
constexpr Hook kPre = Hook::Prerouting;
constexpr Hook kPost = Hook::Postrouting;
constexpr Hook kForward = Hook::Forward;

bool always(const Seen& seen) {
    return seen.goes_on();
}

const std::vector<TargetRow> kFieldRows = {
    {"TTL", "ttl-set", kMangle, kForward, "-j TTL --ttl-set 9", kUdp,
     [](const Seen& seen) { return seen.packet.layout.ttl == 9 && seen.packet.data()[8] == 9; }},
    {"TTL", "ttl-inc", kMangle, kForward, "-j TTL --ttl-inc 9", kUdp,
     [](const Seen& seen) { return seen.packet.data()[8] == 73; }},
    {"TTL", "ttl-dec", kMangle, kForward, "-j TTL --ttl-dec 9", kUdp,
     [](const Seen& seen) { return seen.packet.data()[8] == 55; }},
    {"HL", "hl-set", kMangle, kForward, "-j HL --hl-set 9", kUdp6,
     [](const Seen& seen) { return seen.packet.data()[7] == 9; }, kV6},
    {"HL", "hl-inc", kMangle, kForward, "-j HL --hl-inc 9", kUdp6,
     [](const Seen& seen) { return seen.packet.data()[7] == 73; }, kV6},
    {"HL", "hl-dec", kMangle, kForward, "-j HL --hl-dec 9", kUdp6,
     [](const Seen& seen) { return seen.packet.data()[7] == 55; }, kV6},
    {"TOS", "set-tos", kMangle, kForward, "-j TOS --set-tos 0x10/0xff", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0x10; }},
    {"TOS", "and-tos", kMangle, kForward, "-j TOS --set-tos 0x1c\n-j TOS --and-tos 0x14", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0x14; }},
    {"TOS", "or-tos", kMangle, kForward, "-j TOS --set-tos 0x10\n-j TOS --or-tos 0x04", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0x14; }},
    {"TOS", "xor-tos", kMangle, kForward, "-j TOS --set-tos 0x14\n-j TOS --xor-tos 0x06", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0x12; }},
    {"DSCP", "set-dscp", kMangle, kForward, "-j DSCP --set-dscp 46", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0xb8; }},
    {"DSCP", "set-dscp-class", kMangle, kForward, "-j DSCP --set-dscp-class CS1", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0x20; }},
    {"ECN", "ecn-tcp-remove", kMangle, kForward, "-p tcp -j ECN --ecn-tcp-remove",
     tcp("10.0.0.2:1", "192.0.2.1:2").flags(0xc2),
     [](const Seen& seen) { return seen.l4(13) == 0x02; }},
    {"ECN", "ecn-tcp-ece", kMangle, kForward, "-p tcp -j ECN --ecn-tcp-ece 1",
     tcp("10.0.0.2:1", "192.0.2.1:2").flags(0x82),
     [](const Seen& seen) { return seen.l4(13) == 0xc2; }},
    {"ECN", "ecn-tcp-cwr", kMangle, kForward, "-p tcp -j ECN --ecn-tcp-cwr 0",
     tcp("10.0.0.2:1", "192.0.2.1:2").flags(0xc2),
     [](const Seen& seen) { return seen.l4(13) == 0x42; }},
    {"ECN", "ecn-ip-ect", kMangle, kForward, "-j ECN --ecn-ip-ect 2", kUdp,
     [](const Seen& seen) { return seen.packet.data()[1] == 0x02; }},
    {"TCPMSS", "set-mss", kMangle, kForward, "-p tcp --syn -j TCPMSS --set-mss 1200",
     tcp("10.0.0.2:1", "192.0.2.1:2").syn().options({2, 4, 5, 0xb4}),
     [](const Seen& seen) { return wire::load16(seen.packet.data() + 42) == 1200; }},
    {"TCPMSS", "clamp-mss-to-pmtu", kMangle, kForward, "-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu",
     tcp("10.0.0.2:1", "192.0.2.1:2").syn().options({2, 4, 5, 0xb4}),
     [](const Seen& seen) { return wire::load16(seen.packet.data() + 42) == 1360; }},
    {"TCPOPTSTRIP", "strip-options", kMangle, kForward, "-p tcp -j TCPOPTSTRIP --strip-options mss",
     tcp("10.0.0.2:1", "192.0.2.1:2").syn().options({2, 4, 5, 0xb4}),
     [](const Seen& seen) { return wire::load32(seen.packet.data() + 40) == 0x01010101; }},
};

const std::vector<TargetRow> kMarkRows = {
    {"MARK", "set-mark", kMangle, kForward, "-j MARK --set-mark 0x30/0xf0", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x35; }},
    {"MARK", "set-xmark", kMangle, kForward, "-j MARK --set-xmark 0x31/0xf0", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x34; }},
    {"MARK", "and-mark", kMangle, kForward, "-j MARK --and-mark 0x04", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x04; }},
    {"MARK", "or-mark", kMangle, kForward, "-j MARK --or-mark 0x08", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x0d; }},
    {"MARK", "xor-mark", kMangle, kForward, "-j MARK --xor-mark 0x01", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x04; }},
    {"CONNMARK", "set-mark", kMangle, kForward, "-j CONNMARK --set-mark 0x30/0xf0", kUdp,
     [](const Seen& seen) { return seen.connection == 0x3f; }},
    {"CONNMARK", "set-xmark", kMangle, kForward, "-j CONNMARK --set-xmark 0x31/0xf0", kUdp,
     [](const Seen& seen) { return seen.connection == 0x3e; }},
    {"CONNMARK", "and-mark", kMangle, kForward, "-j CONNMARK --and-mark 0x04", kUdp,
     [](const Seen& seen) { return seen.connection == 0x04; }},
    {"CONNMARK", "or-mark", kMangle, kForward, "-j CONNMARK --or-mark 0x80", kUdp,
     [](const Seen& seen) { return seen.connection == 0x8f; }},
    {"CONNMARK", "xor-mark", kMangle, kForward, "-j CONNMARK --xor-mark 0x01", kUdp,
     [](const Seen& seen) { return seen.connection == 0x0e; }},
    {"CONNMARK", "save-mark", kMangle, kForward, "-j CONNMARK --save-mark", kUdp,
     [](const Seen& seen) { return seen.connection == 0x05; }},
    {"CONNMARK", "restore-mark", kMangle, kForward, "-j CONNMARK --restore-mark", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x0f; }},
    {"CONNMARK", "mask", kMangle, kForward, "-j CONNMARK --restore-mark --mask 0x06", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x07; }},
    {"CONNMARK", "ctmask", kMangle, kForward, "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0x0f",
     kUdp, [](const Seen& seen) { return seen.connection == 0x05; }},
    {"CONNMARK", "nfmask", kMangle, kForward, "-j CONNMARK --save-mark --nfmask 0x01 --ctmask 0xff",
     kUdp, [](const Seen& seen) { return seen.connection == 0x01; }},
    {"CONNMARK", "left-shift-mark", kMangle, kForward,
     "-j CONNMARK --save-mark --left-shift-mark 4", kUdp,
     [](const Seen& seen) { return seen.connection == 0x50; }},
    {"CONNMARK", "right-shift-mark", kMangle, kForward,
     "-j CONNMARK --restore-mark --right-shift-mark 1", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x07; }},
};

const std::vector<TargetRow> kTrackingRows = {
    {"NOTRACK", "", kRaw, kPre, "-j NOTRACK", kUdp,
     [](const Seen& seen) { return seen.meta().ct_info == CtInfo::Untracked; }},
    {"CT", "notrack", kRaw, kPre, "-j CT --notrack", kUdp,
     [](const Seen& seen) { return seen.meta().ct_info == CtInfo::Untracked; }},
    {"CT", "zone", kRaw, kPre, "-j CT --zone 5", kUdp,
     [](const Seen& seen) {
         return seen.meta().zone == 5 && seen.meta().zone_original && seen.meta().zone_reply;
     }},
    {"CT", "zone-orig", kRaw, kPre, "-j CT --zone-orig 5", kUdp,
     [](const Seen& seen) { return seen.meta().zone == 5 && !seen.meta().zone_reply; }},
    {"CT", "zone-reply", kRaw, kPre, "-j CT --zone-reply 5", kUdp,
     [](const Seen& seen) { return seen.meta().zone == 5 && !seen.meta().zone_original; }},
    {"CT", "helper", kRaw, kPre, "-p udp -j CT --helper tftp", kUdp,
     [](const Seen& seen) {
         return seen.goes_on() && seen.meta().ct_template &&
                seen.meta().ct_helper == static_cast<unsigned>(conntrack::HelperId::Tftp);
     }},
    {"CT", "timeout", kRaw, kPre, "-p udp -j CT --timeout x", kUdp,
     [](const Seen& seen) {
         return seen.goes_on() && seen.meta().ct_template && seen.meta().ct_timeout == 1;
     }},
    {"CT", "timeout", kRaw, kPre, "-j CT --timeout x", kUdp, nullptr, Family::Ipv4,
     "--timeout needs -p"},
    {"CT", "ctevents", kRaw, kPre, "-j CT --ctevents mark,new", kUdp,
     [](const Seen& seen) {
         return seen.meta().ct_events == (conntrack::event::kNew | conntrack::event::kMark);
     }},
    {"CT", "expevents", kRaw, kPre, "-j CT --expevents new", kUdp,
     [](const Seen& seen) {
         return seen.goes_on() && seen.meta().ct_events == conntrack::kTellsExpectations;
     }},
    {"REJECT", "reject-with", kFilter, kForward, "-j REJECT --reject-with icmp-admin-prohibited",
     kUdp,
     [](const Seen& seen) {
         return seen.decided.verdict == TargetVerdict::Reject &&
                seen.decided.reject == rules::RejectWith::AdminProhibited;
     }},
    {"TRACE", "", kRaw, kPre, "-j TRACE", kUdp, always},
};

// What they do to packets: scenario/nat_behaviour_test.cpp.
const std::vector<TargetRow> kBehaviourRows = {
    {"SNAT", "profile", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --profile full-cone", kUdp,
     [](const Seen& seen) {
         return seen.range().behaves &&
                seen.range().behaviour.filtering == nat::Dependence::Endpoint;
     }},
    {"SNAT", "mapping", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --mapping address-dependent",
     kUdp,
     [](const Seen& seen) { return seen.range().behaviour.mapping == nat::Dependence::Address; }},
    {"SNAT", "filtering", kNat, kPost,
     "-j SNAT --to-source 192.0.2.7 --filtering endpoint-independent", kUdp,
     [](const Seen& seen) {
         return seen.range().behaviour.filtering == nat::Dependence::Endpoint;
     }},
    {"SNAT", "hairpin", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --hairpin internal", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.hairpin == nat::Hairpin::Internal; }},
    {"SNAT", "port-allocation", kNat, kPost,
     "-j SNAT --to-source 192.0.2.7 --port-allocation sequential", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.ports == nat::PortChoice::Sequential; }},
    {"SNAT", "port-block", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --port-block 64", kUdp,
     [](const Seen& seen) {
         return seen.range().behaviour.ports == nat::PortChoice::Blocks &&
                seen.range().behaviour.block_ports == 64;
     }},
    {"SNAT", "session-limit", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --session-limit 7", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.session_limit == 7; }},
    {"SNAT", "no-udp", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --no-udp", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.no_udp; }},
    {"SNAT", "refresh", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --refresh outbound", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.refresh == nat::Refresh::Outbound; }},
    {"SNAT", "icmp-errors", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --icmp-errors drop", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.icmp_errors == nat::IcmpErrors::Drop; }},
    {"SNAT", "pooling", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --pooling arbitrary", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.pooling == nat::Pooling::Arbitrary; }},
    {"SNAT", "inside", kNat, kPost,
     "-j SNAT --to-source 192.0.2.7 --port-allocation deterministic --inside 10.0.0.0/24", kUdp,
     [](const Seen& seen) {
         return seen.range().behaviour.ports == nat::PortChoice::Deterministic &&
                to_string(seen.range().behaviour.inside) == "10.0.0.0/24";
     }},
    {"MASQUERADE", "profile", kNat, kPost, "-j MASQUERADE --profile full-cone", kUdp,
     [](const Seen& seen) {
         return seen.range().behaves &&
                seen.range().behaviour.filtering == nat::Dependence::Endpoint;
     }},
    {"MASQUERADE", "mapping", kNat, kPost, "-j MASQUERADE --mapping address-dependent", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.mapping == nat::Dependence::Address; }},
    {"MASQUERADE", "filtering", kNat, kPost, "-j MASQUERADE --filtering endpoint-independent", kUdp,
     [](const Seen& seen) {
         return seen.range().behaviour.filtering == nat::Dependence::Endpoint;
     }},
    {"MASQUERADE", "hairpin", kNat, kPost, "-j MASQUERADE --hairpin internal", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.hairpin == nat::Hairpin::Internal; }},
    {"MASQUERADE", "port-allocation", kNat, kPost, "-j MASQUERADE --port-allocation sequential",
     kUdp,
     [](const Seen& seen) { return seen.range().behaviour.ports == nat::PortChoice::Sequential; }},
    {"MASQUERADE", "port-block", kNat, kPost, "-j MASQUERADE --port-block 64", kUdp,
     [](const Seen& seen) {
         return seen.range().behaviour.ports == nat::PortChoice::Blocks &&
                seen.range().behaviour.block_ports == 64;
     }},
    {"MASQUERADE", "session-limit", kNat, kPost, "-j MASQUERADE --session-limit 7", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.session_limit == 7; }},
    {"MASQUERADE", "no-udp", kNat, kPost, "-j MASQUERADE --no-udp", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.no_udp; }},
    {"MASQUERADE", "refresh", kNat, kPost, "-j MASQUERADE --refresh outbound", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.refresh == nat::Refresh::Outbound; }},
    {"MASQUERADE", "icmp-errors", kNat, kPost, "-j MASQUERADE --icmp-errors drop", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.icmp_errors == nat::IcmpErrors::Drop; }},
    {"MASQUERADE", "pooling", kNat, kPost, "-j MASQUERADE --pooling arbitrary", kUdp,
     [](const Seen& seen) { return seen.range().behaviour.pooling == nat::Pooling::Arbitrary; }},
    {"MASQUERADE", "inside", kNat, kPost,
     "-j MASQUERADE --port-allocation deterministic --inside 10.0.0.0/24", kUdp,
     [](const Seen& seen) {
         return seen.range().behaviour.ports == nat::PortChoice::Deterministic &&
                to_string(seen.range().behaviour.inside) == "10.0.0.0/24";
     }},
};

const std::vector<TargetRow> kNatRows = {
    {"SNAT", "to-source", kNat, kPost, "-j SNAT --to-source 192.0.2.7", kUdp,
     [](const Seen& seen) { return seen.range().min_address == *parse_address("192.0.2.7"); }},
    {"SNAT", "random", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --random", kUdp,
     [](const Seen& seen) { return seen.range().random; }},
    {"SNAT", "random-fully", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --random-fully", kUdp,
     [](const Seen& seen) { return seen.range().random_fully; }},
    {"SNAT", "persistent", kNat, kPost, "-j SNAT --to-source 192.0.2.7 --persistent", kUdp,
     [](const Seen& seen) { return seen.range().persistent; }},
    {"DNAT", "to-destination", kNat, kPre, "-p udp -j DNAT --to-destination 192.0.2.7:54", kUdp,
     [](const Seen& seen) {
         return seen.range().max_address == *parse_address("192.0.2.7") &&
                seen.range().min_port == 54;
     }},
    {"DNAT", "random", kNat, kPre, "-j DNAT --to-destination 192.0.2.7 --random", kUdp,
     [](const Seen& seen) { return seen.range().random; }},
    {"DNAT", "persistent", kNat, kPre, "-j DNAT --to-destination 192.0.2.7 --persistent", kUdp,
     [](const Seen& seen) { return seen.range().persistent; }},
    {"MASQUERADE", "to-ports", kNat, kPost, "-p udp -j MASQUERADE --to-ports 1024-2047", kUdp,
     [](const Seen& seen) { return seen.range().max_port == 2047 && seen.range().masquerade; }},
    {"MASQUERADE", "random", kNat, kPost, "-j MASQUERADE --random", kUdp,
     [](const Seen& seen) { return seen.range().random; }},
    {"MASQUERADE", "random-fully", kNat, kPost, "-j MASQUERADE --random-fully", kUdp,
     [](const Seen& seen) { return seen.range().random_fully; }},
    {"REDIRECT", "to-ports", kNat, kPre, "-p udp -j REDIRECT --to-ports 5353", kUdp,
     [](const Seen& seen) {
         return seen.range().min_port == 5353 &&
                seen.range().min_address == *parse_address("10.0.0.1");
     }},
    {"REDIRECT", "random", kNat, kPre, "-p udp -j REDIRECT --to-ports 53-54 --random", kUdp,
     [](const Seen& seen) { return seen.range().random; }},
    {"NETMAP", "to", kNat, kPost, "-j NETMAP --to 172.16.5.0/24", kUdp,
     [](const Seen& seen) { return seen.range().min_address == *parse_address("172.16.5.2"); }},
};

const std::vector<TargetRow> kLogRows = {
    {"LOG", "log-prefix", kFilter, kForward, "-j LOG --log-prefix seen:", kUdp,
     [](const Seen& seen) { return seen.log.starts_with("4 seen:IN=lan"); }},
    {"LOG", "log-level", kFilter, kForward, "-j LOG --log-level crit", kUdp,
     [](const Seen& seen) { return seen.log.starts_with("2 IN=lan"); }},
    {"LOG", "log-tcp-sequence", kFilter, kForward, "-j LOG --log-tcp-sequence", kSyn,
     [](const Seen& seen) { return seen.log.find("SEQ=0 ACK=0") != std::string::npos; }},
    {"LOG", "log-tcp-options", kFilter, kForward, "-j LOG --log-tcp-options",
     tcp("10.0.0.2:1", "192.0.2.1:2").syn().options({2, 4, 5, 0xb4}),
     [](const Seen& seen) { return seen.log.find("OPT (020405B4) ") != std::string::npos; }},
    {"LOG", "log-ip-options", kFilter, kForward, "-j LOG --log-ip-options",
     ip(60, "fd00::2", "2001:db8::1").data(std::string("\x3b\0\1\4\0\0\0\0", 8)),
     [](const Seen& seen) { return seen.log.find("OPT ( ) ") != std::string::npos; }, kV6},
    // Packets that pass have no socket, and no link layer that could be decoded.
    {"LOG", "log-uid", kFilter, kForward, "-j LOG --log-uid", kUdp,
     [](const Seen& seen) { return seen.log.find("UID=") == std::string::npos; }},
    {"LOG", "log-macdecode", kFilter, kForward, "-j LOG --log-macdecode", kUdp,
     [](const Seen& seen) { return seen.log.find(" MAC= ") != std::string::npos; }},
    {"NFLOG", "nflog-group", kFilter, kForward, "-j NFLOG --nflog-group 5", kUdp, always},
    {"NFLOG", "nflog-prefix", kFilter, kForward, "-j NFLOG --nflog-prefix x", kUdp, always},
    {"NFLOG", "nflog-range", kFilter, kForward, "-j NFLOG --nflog-range 5", kUdp, always},
    {"NFLOG", "nflog-size", kFilter, kForward, "-j NFLOG --nflog-size 5", kUdp, always},
    {"NFLOG", "nflog-threshold", kFilter, kForward, "-j NFLOG --nflog-threshold 5", kUdp, always},
};

// The sets are those of some_sets(); what time does to an element shows
// tests/scenario/sets_test.cpp.
const std::vector<TargetRow> kSetRows = {
    {"SET", "add-set", kMangle, kForward,
     "-j SET --add-set seen src\n-m set --match-set seen src -j MARK --set-mark 9", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 9; }},
    {"SET", "timeout", kMangle, kForward,
     "-j SET --add-set seen src --timeout 5\n-m set --match-set seen src -j MARK --set-mark 9",
     kUdp, [](const Seen& seen) { return seen.meta().mark == 9; }},
    {"SET", "exist", kMangle, kForward,
     "-j SET --add-set counted src --exist\n"
     "-m set --match-set counted src --packets-eq 2 -j MARK --set-mark 9",
     kUdp, [](const Seen& seen) { return seen.meta().mark == 9; }},
    {"SET", "del-set", kMangle, kForward,
     "-j SET --del-set hosts src\n-m set ! --match-set hosts src -j MARK --set-mark 9", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 9; }},
    {"SET", "map-set", kMangle, kForward, "-j SET --map-set marks src --map-mark", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x35; }},
    {"SET", "map-mark", kMangle, kForward, "-j SET --map-set marks dst --map-mark", kUdp,
     [](const Seen& seen) { return seen.meta().mark == 0x05; }},
    // Nothing here looks at priorities and queues.
    {"SET", "map-prio", kMangle, kForward, "-j SET --map-set marks src --map-prio", kUdp, always},
    {"SET", "map-queue", kMangle, kForward, "-j SET --map-set marks src --map-queue", kUdp, always},
};

std::vector<TargetRow> all_rows() {
    std::vector<TargetRow> rows;
    for (const auto* some : {&kFieldRows, &kMarkRows, &kTrackingRows, &kNatRows, &kBehaviourRows,
                             &kLogRows, &kSetRows}) {
        rows.insert(rows.end(), some->begin(), some->end());
    }
    const std::vector<TargetRow> extensions = extension_target_rows();
    rows.insert(rows.end(), extensions.begin(), extensions.end());
    return rows;
}

std::string text_of(const TargetRow& row) {
    std::string text = "*" + std::string(name_of(row.table)) + "\n";
    for (const std::string_view rule : split(row.rule, '\n')) {
        text += "-A " + std::string(name_of(row.hook)) + " " + std::string(rule) + "\n";
    }
    return text + "COMMIT\n";
}

void check(const TargetRow& row) {
    Firewall box(text_of(row), row.family);
    box.conntrack.set_active(row.family, true, box.now);
    REQUIRE(box.conntrack.timeout_policies().put({"x", row.family, proto::kUdp, {}}));
    Packet shown = box.packet(row.packet, row.hook);
    if (row.table != TableId::Raw) {
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
    }
    const bool tracked = shown.meta.conn != ConnId::None;
    if (tracked) {
        box.conntrack.set_mark(shown.meta.conn, 0x0f);
    }
    box.log.lines.clear();
    box.log.levels.clear();
    shown.meta.mark = 0x05;
    const rules::TableVerdict decided = box.run(shown, row.table, row.hook);
    const Mark connection = tracked ? box.conntrack.table()[shown.meta.conn].mark : 0;
    std::string log;
    if (!box.log.lines.empty()) {
        log = std::to_string(static_cast<int>(box.log.levels[0])) + " " + box.log.lines[0];
    }
    CAPTURE(log);
    CHECK(row.shows({shown, decided, connection, log, box.copies}));
    box.conntrack.release(shown);
}

}  // namespace

std::vector<TargetRules> nsr::test::target_rules() {
    std::vector<TargetRules> rules;
    for (const TargetRow& row : all_rows()) {
        rules.push_back({row.option, row.table, row.hook, row.rule, row.family});
    }
    return rules;
}

TEST_CASE("each option of each target has a row that shows what it does") {
    const std::vector<TargetRow> rows = all_rows();
    for (const rules::TargetModule* module : rules::target_modules()) {
        CAPTURE(module->name);
        CHECK(std::any_of(rows.begin(), rows.end(),
                          [&](const TargetRow& row) { return row.target == module->name; }));
        for (const rules::OptionSpec& option : module->options) {
            const auto shows = [&](const TargetRow& row) {
                return row.target == module->name && row.option == option.name &&
                       row.rule.find("--" + std::string(option.name)) != std::string_view::npos;
            };
            CAPTURE(option.name);
            CHECK((!option.alias.empty() || std::any_of(rows.begin(), rows.end(), shows)));
        }
    }
}

TEST_CASE("each row of a target holds") {
    for (const TargetRow& row : all_rows()) {
        CAPTURE(row.target);
        CAPTURE(row.rule);
        if (row.shows != nullptr) {
            check(row);
            continue;
        }
        const std::string said = errors_of(text_of(row), row.family);
        CAPTURE(said);
        CHECK(said.find(row.refusal) != std::string::npos);
    }
}
