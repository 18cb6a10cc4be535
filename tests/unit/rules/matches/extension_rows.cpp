// What the options of matches do that are about extension headers, connections and what a router
// of TUN devices does not have.
#include "tests/unit/rules/rows.hpp"

namespace nsr::test {

namespace {

constexpr Family kV6 = Family::Ipv6;

const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);
const PacketBuilder kOtherUdp = udp("10.0.0.3:6000", "192.0.2.9:54").payload(20);
const PacketBuilder kUdp6 = udp("[fd00::2]:5000", "[2001:db8::1]:53").payload(10);

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) {
        text += static_cast<char>(value);
    }
    return text;
}

PacketBuilder raw6(std::uint8_t protocol, const std::string& data) {
    return ip(protocol, "fd00::2", "2001:db8::1").data(data);
}
// A routing header with one address (fd00::9) before nothing at all.
PacketBuilder routing(int type, int segments_left, int reserved = 0) {
    return raw6(43, bytes({59, 2, type, segments_left, 0, 0, 0, reserved, 0xfd, 0}) +
                        std::string(13, '\0') + "\x09");
}
// Segment routing: fd00::1 (the last), fd00::2, fd00::3.
PacketBuilder segments(int left, int tag = 0) {
    std::string list;
    for (const char last : {'\1', '\2', '\3'}) {
        list += bytes({0xfd, 0}) + std::string(13, '\0') + last;
    }
    return raw6(43, bytes({59, 6, 4, left, 2, 0, tag, 0}) + list);
}
// Hop-by-hop or destination options before nothing at all: type 5 with two bytes, then padding.
PacketBuilder ipv6_options(std::uint8_t header, int option, int length) {
    return raw6(header, bytes({59, 0, option, length, 0, 0, 1, 0}));
}
PacketBuilder mobility(int type) {
    return raw6(135, bytes({59, 0, type, 0, 0, 0, 0, 0}));
}
PacketBuilder fragment6(int id) {
    return raw6(44, bytes({59, 0, 0, 0, 0, 0, 0, id}) + std::string(8, '\0'));
}
PacketBuilder compressed(int index) {
    return ip(108, "10.0.0.2", "192.0.2.1").data(bytes({4, 0, 0, index}));
}

void add_ipv6_headers(std::vector<Row>& rows) {
    const PacketBuilder hop = ipv6_options(0, 5, 2);
    const PacketBuilder other_hop = ipv6_options(0, 1, 2);
    const PacketBuilder dst = ipv6_options(60, 5, 2);
    const PacketBuilder other_dst = ipv6_options(60, 1, 2);
    const auto row = [&](std::string_view module, std::string_view option, std::string_view rule,
                         std::vector<Step> steps, std::string_view expected) {
        rows.push_back({module, option, rule, std::move(steps), expected, kV6});
    };
    row("rt", "rt-type", "-m rt --rt-type 0 -j DROP", {routing(0, 1), routing(2, 1)}, "D.");
    row("rt", "rt-segsleft", "-m rt --rt-segsleft 1:5 -j DROP", {routing(0, 1), routing(0, 0)},
        "D.");
    row("rt", "rt-len", "-m rt --rt-len 24 -j DROP", {routing(0, 1), segments(1)}, "D.");
    row("rt", "rt-0-res", "-m rt --rt-type 0 --rt-0-res -j DROP", {routing(0, 1), routing(0, 1, 7)},
        "D.");
    row("rt", "rt-0-addrs", "-m rt --rt-type 0 --rt-0-addrs fd00::9 -j DROP",
        {routing(0, 1), kUdp6}, "D.");
    row("rt", "rt-0-not-strict", "-m rt --rt-type 0 --rt-0-addrs fd00::8 --rt-0-not-strict -j DROP",
        {routing(0, 1)}, ".");
    row("hbh", "hbh-len", "-m hbh --hbh-len 8 -j DROP", {hop, kUdp6, dst}, "D..");
    row("hbh", "hbh-opts", "-m hbh --hbh-opts 5:2 -j DROP", {hop, other_hop}, "D.");
    row("dst", "dst-len", "-m dst --dst-len 8 -j DROP", {dst, kUdp6, hop}, "D..");
    row("dst", "dst-opts", "-m dst --dst-opts 5 -j DROP", {dst, other_dst}, "D.");
    row("mh", "mh-type", "-p mh --mh-type bu -j DROP", {mobility(5), mobility(6)}, "D.");
    row("frag", "fraglen", "-m frag --fraglen 42 -j DROP", {fragment6(1), kUdp6}, "D.");
    row("srh", "srh-next-hdr", "-m srh --srh-next-hdr 59 -j DROP", {segments(1), kUdp6}, "D.");
    row("srh", "srh-hdr-len-eq", "-m srh --srh-hdr-len-eq 6 -j DROP", {segments(1)}, "D");
    row("srh", "srh-hdr-len-gt", "-m srh --srh-hdr-len-gt 6 -j DROP", {segments(1)}, ".");
    row("srh", "srh-hdr-len-lt", "-m srh --srh-hdr-len-lt 7 -j DROP", {segments(1)}, "D");
    row("srh", "srh-segs-left-eq", "-m srh --srh-segs-left-eq 1 -j DROP",
        {segments(1), segments(2)}, "D.");
    row("srh", "srh-segs-left-gt", "-m srh --srh-segs-left-gt 1 -j DROP",
        {segments(1), segments(2)}, ".D");
    row("srh", "srh-segs-left-lt", "-m srh --srh-segs-left-lt 2 -j DROP",
        {segments(1), segments(2)}, "D.");
    row("srh", "srh-last-entry-eq", "-m srh --srh-last-entry-eq 2 -j DROP",
        {segments(1), routing(4, 0)}, "D.");
    row("srh", "srh-last-entry-gt", "-m srh --srh-last-entry-gt 1 -j DROP", {segments(1)}, "D");
    row("srh", "srh-last-entry-lt", "-m srh --srh-last-entry-lt 2 -j DROP", {segments(1)}, ".");
    row("srh", "srh-tag", "-m srh --srh-tag 7 -j DROP", {segments(1, 7), segments(1, 8)}, "D.");
    row("srh", "srh-psid", "-m srh --srh-psid fd00::3 -j DROP", {segments(1), segments(2)}, "D.");
    row("srh", "srh-nsid", "-m srh --srh-nsid fd00::1 -j DROP", {segments(1), segments(0)}, "D.");
    row("srh", "srh-lsid", "-m srh --srh-lsid fd00::/112 -j DROP", {segments(1), kUdp6}, "D.");
}

void add_computed(std::vector<Row>& rows) {
    const std::vector<Row> computed = {
        {"ipcomp",
         "ipcompspi",
         "-p ipcomp -m ipcomp --ipcompspi 4:5 -j DROP",
         {compressed(5), compressed(6)},
         "D."},
        {"ipcomp", "compres", "-p ipcomp -m ipcomp --ipcompspi 1 --compres", {}, "="},
        {"bpf",
         "bytecode",
         "-m bpf --bytecode \"4,48 0 0 9,21 0 1 17,6 0 0 1,6 0 0 0\" -j DROP",
         {kUdp, kSyn},
         "D."},
        {"bpf", "object-pinned", "-m bpf --object-pinned /sys/fs/bpf/x", {}, "!not supported"},
        {"connlabel",
         "label",
         "-m connlabel --label 3 -j DROP\n-p udp -m connlabel --label 3 --set",
         {kUdp, kSyn, kUdp, kSyn},
         "..D."},
        {"connlabel", "set", "-m connlabel ! --label 3 --set -j DROP", {kUdp}, "."},
        {"cluster",
         "cluster-total-nodes",
         "-m cluster --cluster-total-nodes 1 --cluster-local-node 1 --cluster-hash-seed 5 -j DROP",
         {kUdp, kOtherUdp},
         "DD"},
        {"cluster",
         "cluster-local-node",
         "-m cluster --cluster-total-nodes 2 ! --cluster-local-node 1 --cluster-hash-seed 7\n"
         "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7 -j DROP\n"
         "-m cluster --cluster-total-nodes 2 --cluster-local-node 2 --cluster-hash-seed 7 -j DROP",
         {kUdp, kOtherUdp},
         "DD"},
        {"cluster",
         "cluster-local-nodemask",
         "-m cluster --cluster-total-nodes 2 --cluster-local-nodemask 0x3 --cluster-hash-seed 7 "
         "-j DROP",
         {kUdp, kOtherUdp},
         "DD"},
        {"cluster",
         "cluster-hash-seed",
         "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 2 -j DROP",
         {kUdp, kOtherUdp},
         ".D"},
    };
    rows.insert(rows.end(), computed.begin(), computed.end());
}

// Rates of what was counted before.
void add_rates(std::vector<Row>& rows) {
    using namespace std::chrono_literals;
    const auto row = [&](std::string_view module, std::string_view option, std::string_view rule,
                         std::vector<Step> steps, std::string_view expected) {
        rows.push_back({module, option, rule, std::move(steps), expected});
    };
    row("hashlimit", "hashlimit-rate-match",
        "-m hashlimit --hashlimit-above 1/sec --hashlimit-burst 1 --hashlimit-rate-match "
        "--hashlimit-htable-expire 10000 "
        "--hashlimit-name r -j DROP",
        {kUdp, kUdp, kUdp, 1s, kUdp, 1s, kUdp}, "..DD.");
    row("hashlimit", "hashlimit-rate-interval",
        "-m hashlimit --hashlimit-above 1/sec --hashlimit-rate-match --hashlimit-rate-interval 2 "
        "--hashlimit-name r -j DROP",
        {kUdp, kUdp, 1s, kUdp}, "...");
    row("rateest", "rateest-pps2",
        "-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 0.5s\n"
        "-m rateest --rateest a --rateest-gt --rateest-pps2 2 -j DROP",
        {kUdp, kUdp, kUdp, 500ms, kUdp, 10s, kUdp}, "...D.");
    row("rateest", "rateest-bps2",
        "-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 0.5s\n"
        "-m rateest --rateest a --rateest-gt --rateest-bps2 1kbit -j DROP",
        {kUdp, kUdp, kUdp, 250ms, kUdp, 10s, kUdp}, "...D.");
    row("rateest", "rateest1", "-m rateest --rateest1 a --rateest-eq --rateest-pps 0 -j DROP",
        {kUdp}, "D");
    row("rateest", "rateest2",
        "-m rateest --rateest1 a ! --rateest-eq --rateest2 b --rateest-pps -j DROP", {kUdp}, ".");
    row("rateest", "rateest-delta",
        "-m rateest --rateest-delta --rateest a --rateest-pps1 5 --rateest-gt --rateest-pps2 4 "
        "-j DROP",
        {kUdp}, "D");
    row("rateest", "rateest-bps1",
        "-m rateest --rateest-delta --rateest a --rateest-bps1 80 --rateest-eq "
        "--rateest-bps2 80bit -j DROP",
        {kUdp}, "D");
    row("rateest", "rateest-pps1",
        "-m rateest --rateest-delta --rateest a --rateest-pps1 5 --rateest-gt --rateest-pps2 5 "
        "-j DROP",
        {kUdp}, ".");
    row("rateest", "rateest-lt", "-m rateest --rateest a --rateest-lt --rateest-pps 1 -j DROP",
        {kUdp}, "D");
    row("rateest", "rateest-gt", "-m rateest --rateest a --rateest-gt --rateest-pps 0 -j DROP",
        {kUdp}, ".");
    row("rateest", "rateest-eq", "-m rateest --rateest a ! --rateest-eq --rateest-pps 0 -j DROP",
        {kUdp}, ".");
}

// What is absent never matches, and its negation always does where the kernel says so.
void add_absent(std::vector<Row>& rows) {
    const std::vector<Row> absent = {
        {"policy", "dir", "-m policy --dir in --pol none -j DROP", {kUdp}, "D"},
        {"policy", "pol", "-m policy --dir out --pol ipsec -j DROP", {kUdp}, "."},
        {"policy",
         "strict",
         "-m policy --dir in --pol ipsec --strict --proto esp -j DROP",
         {kUdp},
         "."},
        {"policy", "reqid", "-m policy --dir in --pol ipsec --reqid 1 -j DROP", {kUdp}, "."},
        {"policy", "spi", "-m policy --dir in --pol ipsec --spi 1 -j DROP", {kUdp}, "."},
        {"policy", "proto", "-m policy --dir in --pol ipsec --proto ah -j DROP", {kUdp}, "."},
        {"policy", "mode", "-m policy --dir in --pol ipsec --mode tunnel -j DROP", {kUdp}, "."},
        {"policy",
         "tunnel-src",
         "-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 10.0.0.1 -j DROP",
         {kUdp},
         "."},
        {"policy",
         "tunnel-dst",
         "-m policy --dir in --pol ipsec --mode tunnel --tunnel-dst 10.0.0.1 -j DROP",
         {kUdp},
         "."},
        {"policy",
         "next",
         "-m policy --dir in --pol ipsec --strict --reqid 1 --next --reqid 2 -j DROP",
         {kUdp},
         "."},
        // Of the router's own packets, which have a socket that no process has.
        {"owner", "uid-owner", "-m owner --uid-owner 0 -j DROP", {kUdp}, "."},
        {"owner", "gid-owner", "-m owner ! --gid-owner 0 -j DROP", {kUdp}, "D"},
        {"owner", "socket-exists", "-m owner --socket-exists -j DROP", {kUdp}, "D"},
        {"owner", "suppl-groups", "-m owner --gid-owner 5 --suppl-groups -j DROP", {kUdp}, "."},
        {"cgroup", "cgroup", "-m cgroup ! --cgroup 1 -j DROP", {kUdp}, "."},
        {"cgroup", "path", "-m cgroup --path user.slice -j DROP", {kUdp}, "."},
        {"socket", "transparent", "-m socket --transparent -j DROP", {kUdp}, "."},
        {"socket", "nowildcard", "-m socket --nowildcard -j DROP", {kUdp}, "."},
        {"socket", "restore-skmark", "-m socket --restore-skmark -j DROP", {kUdp}, "."},
        {"cpu", "cpu", "-m cpu --cpu 0 -j DROP", {kUdp}, "D"},
        {"realm", "realm", "-m realm --realm cosmos -j DROP", {kUdp}, "D"},
        {"devgroup", "src-group", "-m devgroup --src-group 1 -j DROP", {kUdp}, "."},
        {"devgroup", "dst-group", "-m devgroup ! --dst-group 1/3 -j DROP", {kUdp}, "D"},
        {"nfacct", "nfacct-name", "-m nfacct --nfacct-name http -j DROP", {kUdp}, "D"},
        {"osf", "genre", "-p tcp -m osf --genre Linux -j DROP", {kSyn}, "."},
        {"osf", "ttl", "-p tcp -m osf --genre Linux --ttl 2 -j DROP", {kSyn}, "."},
        {"osf", "log", "-p tcp -m osf --genre Linux --log 0 -j DROP", {kSyn}, "."},
        {"ipvs", "ipvs", "-m ipvs ! --ipvs -j DROP", {kSyn}, "D"},
        {"ipvs", "vproto", "-m ipvs --vproto tcp -j DROP", {kSyn}, "."},
        {"ipvs", "vaddr", "-m ipvs ! --vaddr 10.0.0.0/24 -j DROP", {kSyn}, "."},
        {"ipvs", "vport", "-m ipvs --vport 80 -j DROP", {kSyn}, "."},
        {"ipvs", "vdir", "-m ipvs --vdir ORIGINAL -j DROP", {kSyn}, "."},
        {"ipvs", "vmethod", "-m ipvs --vmethod MASQ -j DROP", {kSyn}, "."},
        {"ipvs", "vportctl", "-m ipvs --vportctl 21 -j DROP", {kSyn}, "."},
    };
    rows.insert(rows.end(), absent.begin(), absent.end());
}

}  // namespace

std::vector<Row> extension_rows() {
    std::vector<Row> rows;
    add_ipv6_headers(rows);
    add_computed(rows);
    add_rates(rows);
    add_absent(rows);
    return rows;
}

}  // namespace nsr::test
