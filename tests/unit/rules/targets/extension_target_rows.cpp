// What the options of the rarer targets do.
#include "tests/unit/rules/targets/target_rows.hpp"

namespace nsr::test {

namespace {

using rules::TableId;
using rules::TargetVerdict;

constexpr Family kV6 = Family::Ipv6;
constexpr TableId kMangle = TableId::Mangle;
constexpr TableId kFilter = TableId::Filter;
constexpr Hook kForward = Hook::Forward;

const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);
const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kUdp6 = udp("[fd00::2]:5000", "[2001:db8::1]:53").payload(10);

bool always(const Seen& seen) {
    return seen.goes_on();
}
bool dropped(const Seen& seen) {
    return seen.decided.verdict == TargetVerdict::Drop;
}
// Marks that a recorded kernel gave have a case of their own; here: what counts, and what not.
bool marked(const Seen& seen) {
    return seen.meta().mark >= 100 && seen.meta().mark < 104;
}

// Each with the mark from 100 to 103.
std::vector<TargetRow> hmark_rows() {
    std::vector<TargetRow> rows;
    const auto row = [&](std::string_view option, std::string_view rule) {
        rows.push_back({"HMARK", option, kMangle, kForward, rule, kUdp, marked});
    };
    row("hmark-tuple",
        "-j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-mod 4 --hmark-rnd 1 "
        "--hmark-offset 100");
    row("hmark-src-prefix",
        "-j HMARK --hmark-src-prefix 24 --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-dst-prefix",
        "-j HMARK --hmark-dst-prefix 24 --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-sport-mask",
        "-j HMARK --hmark-sport-mask 0xff --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-dport-mask",
        "-j HMARK --hmark-dport-mask 0xff --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-spi-mask",
        "-j HMARK --hmark-spi-mask 0xff --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-sport", "-j HMARK --hmark-sport 5 --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-dport", "-j HMARK --hmark-dport 5 --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-spi", "-j HMARK --hmark-spi 5 --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-proto-mask",
        "-j HMARK --hmark-proto-mask 0xff --hmark-mod 4 --hmark-rnd 1 --hmark-offset 100");
    row("hmark-rnd", "-j HMARK --hmark-tuple src --hmark-rnd 7 --hmark-mod 4 --hmark-offset 100");
    rows.push_back({"HMARK", "hmark-mod", kMangle, kForward,
                    "-j HMARK --hmark-tuple src --hmark-rnd 7 --hmark-mod 1", kUdp,
                    [](const Seen& seen) { return seen.meta().mark == 0; }});
    rows.push_back({"HMARK", "hmark-offset", kMangle, kForward,
                    "-j HMARK --hmark-tuple src --hmark-rnd 7 --hmark-mod 1 --hmark-offset 9", kUdp,
                    [](const Seen& seen) { return seen.meta().mark == 9; }});
    return rows;
}

const std::vector<TargetRow> kBesideRows = {
    {"CHECKSUM", "checksum-fill", kMangle, kForward, "-j CHECKSUM --checksum-fill",
     udp("10.0.0.2:5000", "192.0.2.1:53").payload(10), always},
    {"CLASSIFY", "set-class", kMangle, kForward, "-j CLASSIFY --set-class 1:2", kUdp, always},
    {"AUDIT", "type", kFilter, kForward, "-j AUDIT --type drop", kUdp, always},
    {"LED", "led-trigger-id", kFilter, kForward, "-j LED --led-trigger-id x", kUdp, always},
    {"LED", "led-delay", kFilter, kForward, "-j LED --led-trigger-id x --led-delay inf", kUdp,
     always},
    {"LED", "led-always-blink", kFilter, kForward, "-j LED --led-trigger-id x --led-always-blink",
     kUdp, always},
    {"IDLETIMER", "timeout", kFilter, kForward, "-j IDLETIMER --timeout 9 --label x", kUdp, always},
    {"IDLETIMER", "label", kFilter, kForward, "-j IDLETIMER --timeout 9 --label x", kUdp, always},
    {"IDLETIMER", "alarm", kFilter, kForward, "-j IDLETIMER --timeout 9 --label x --alarm", kUdp,
     always},
    {"CONNSECMARK", "save", kMangle, kForward, "-j CONNSECMARK --save", kUdp, always},
    {"CONNSECMARK", "restore", kMangle, kForward, "-j CONNSECMARK --restore", kUdp, always},
    {"SECMARK", "selctx", kMangle, kForward, "-j SECMARK --selctx system_u:object_r:x_t:s0", kUdp,
     always},
    {"NFQUEUE", "queue-num", kFilter, kForward, "-j NFQUEUE --queue-num 5", kUdp, dropped},
    {"NFQUEUE", "queue-balance", kFilter, kForward, "-j NFQUEUE --queue-balance 0:3", kUdp,
     dropped},
    {"NFQUEUE", "queue-bypass", kFilter, kForward, "-j NFQUEUE --queue-bypass\n-j DROP", kUdp,
     always},
    {"NFQUEUE", "queue-cpu-fanout", kFilter, kForward,
     "-j NFQUEUE --queue-balance 0:3 --queue-cpu-fanout", kUdp, dropped},
    {"QUEUE", "", kFilter, kForward, "-j QUEUE", kUdp, dropped},
    {"TPROXY", "on-port", kMangle, Hook::Prerouting, "-p tcp -j TPROXY --on-port 3129", kSyn,
     dropped},
    {"TPROXY", "on-ip", kMangle, Hook::Prerouting,
     "-p tcp -j TPROXY --on-port 3129 --on-ip 10.0.0.1", kSyn, dropped},
    {"TPROXY", "tproxy-mark", kMangle, Hook::Prerouting,
     "-p tcp -j TPROXY --on-port 3129 --tproxy-mark 1", kSyn, dropped},
};

bool copied_unchanged(const Seen& seen) {
    return seen.goes_on() && seen.copies.size() == 1 && seen.copies[0].packet.layout.ttl == 64 &&
           seen.copies[0].packet.layout.dont_fragment &&
           seen.copies[0].gateway == *parse_address("10.0.0.9");
}

const std::vector<TargetRow> kCopyRows = {
    {"TEE", "gateway", kMangle, kForward, "-j TEE --gateway 10.0.0.9", kUdp, copied_unchanged},
    {"TEE", "gateway", kMangle, Hook::Prerouting, "-j TEE --gateway 10.0.0.9", kUdp,
     [](const Seen& seen) {
         return seen.packet.layout.ttl == 64 && seen.copies.at(0).packet.layout.ttl == 63;
     }},
    {"TEE", "oif", kMangle, kForward, "-j TEE --gateway 10.0.0.9 --oif wan", kUdp,
     [](const Seen& seen) { return seen.copies.at(0).interface == "wan"; }},
    {"RATEEST", "rateest-name", kFilter, kForward,
     "-j RATEEST --rateest-name x --rateest-interval 250ms --rateest-ewmalog 1s", kUdp, always},
    {"RATEEST", "rateest-interval", kFilter, kForward,
     "-j RATEEST --rateest-name x --rateest-interval 1s --rateest-ewmalog 4s", kUdp, always},
    {"RATEEST", "rateest-ewmalog", kFilter, kForward,
     "-j RATEEST --rateest-name x --rateest-interval 250ms --rateest-ewmalog 1s", kUdp, always},
};

const std::vector<TargetRow> kPrefixRows = {
    {"SNPT", "src-pfx", kMangle, Hook::Postrouting,
     "-j SNPT --src-pfx fd00::/64 --dst-pfx 2001:db8::/64", kUdp6,
     [](const Seen& seen) {
         return (seen.packet.layout.source & mask_of(kV6, 64)) == *parse_address("2001:db8::");
     },
     kV6},
    {"SNPT", "dst-pfx", kMangle, Hook::Postrouting,
     "-j SNPT --src-pfx fd00::/48 --dst-pfx 2001:db8::/48", kUdp6,
     [](const Seen& seen) {
         return seen.packet.layout.source == *parse_address("2001:db8:0:cf47::2");
     },
     kV6},
    {"DNPT", "src-pfx", kMangle, Hook::Prerouting,
     "-j DNPT --src-pfx 2001:db8::/64 --dst-pfx fd00::/64", kUdp6,
     [](const Seen& seen) {
         return (seen.packet.layout.destination & mask_of(kV6, 64)) == *parse_address("fd00::");
     },
     kV6},
    // No word of the address is free to make up for the change.
    {"DNPT", "dst-pfx", kMangle, Hook::Prerouting,
     "-j DNPT --src-pfx 2001:db8::/64 --dst-pfx fd00::/64",
     udp("[fd00::2]:1", "[2001:db8::ffff:ffff:ffff:ffff]:2"),
     [](const Seen& seen) {
         return seen.decided.verdict == TargetVerdict::Reject &&
                seen.decided.reject == rules::RejectWith::DestinationProblem6;
     },
     kV6},
};

}  // namespace

std::vector<TargetRow> extension_target_rows() {
    std::vector<TargetRow> rows = hmark_rows();
    for (const auto* some : {&kBesideRows, &kCopyRows, &kPrefixRows}) {
        rows.insert(rows.end(), some->begin(), some->end());
    }
    return rows;
}

}  // namespace nsr::test
