// What the options of matches that look at connections do.
#include "tests/unit/rules/rows.hpp"

namespace nsr::test {

namespace {

const PacketBuilder kUdp = udp("10.0.0.2:5000", "192.0.2.1:53").payload(10);
const PacketBuilder kReply = udp("192.0.2.1:53", "10.0.0.2:5000").payload(10);
// Nothing of it is as in kUdp.
const PacketBuilder kOther = tcp("10.0.0.3:6000", "192.0.2.9:54").syn();

// One of many connections: from which host, to which.
PacketBuilder one(int number, const std::string& from, const std::string& to) {
    return udp(from + ":" + std::to_string(number), to + ":53");
}

}  // namespace

std::vector<Row> connection_rows() {
    const std::string a = "10.0.0.2";
    const std::string b = "10.0.0.3";
    const std::string to = "192.0.2.1";
    const std::string other = "192.0.2.2";
    return {
        {"state", "state", "-m state --state ESTABLISHED -j DROP", {kUdp, kReply}, ".D"},
        {"conntrack", "ctstate", "-m conntrack --ctstate NEW -j DROP", {kUdp, kReply}, "D."},
        {"conntrack", "ctproto", "-m conntrack --ctproto udp -j DROP", {kUdp, kOther}, "D."},
        {"conntrack",
         "ctorigsrc",
         "-m conntrack --ctorigsrc 10.0.0.2 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctorigdst",
         "-m conntrack --ctorigdst 192.0.2.1 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctreplsrc",
         "-m conntrack --ctreplsrc 192.0.2.1 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctrepldst",
         "-m conntrack --ctrepldst 10.0.0.2 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctorigsrcport",
         "-m conntrack --ctorigsrcport 5000 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctorigdstport",
         "-m conntrack --ctorigdstport 53 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctreplsrcport",
         "-m conntrack --ctreplsrcport 53 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctrepldstport",
         "-m conntrack --ctrepldstport 5000 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        {"conntrack",
         "ctstatus",
         "-m conntrack --ctstatus SEEN_REPLY -j DROP",
         {kUdp, kReply},
         ".D"},
        {"conntrack", "ctexpire", "-m conntrack --ctexpire 25:30 -j DROP", {kUdp, kUdp}, ".D"},
        {"conntrack", "ctdir", "-m conntrack --ctdir REPLY -j DROP", {kUdp, kReply}, ".D"},
        {"connmark",
         "mark",
         "-s 10.0.0.2 -j CONNMARK --set-mark 5\n-m connmark --mark 5 -j DROP",
         {kUdp, kReply, kOther},
         "DD."},
        // Nobody expected these; tests/scenario has connections that somebody did.
        {"helper", "helper", "-m helper ! --helper ftp -j DROP", {kUdp}, "D"},
        {"connbytes",
         "connbytes",
         "-m connbytes --connbytes 2: --connbytes-dir both --connbytes-mode packets -j DROP",
         {kUdp, kUdp},
         ".D"},
        {"connbytes",
         "connbytes-dir",
         "-m connbytes --connbytes 1: --connbytes-dir reply --connbytes-mode packets -j DROP",
         {kUdp, kReply},
         ".D"},
        {"connbytes",
         "connbytes-mode",
         "-m connbytes --connbytes 76: --connbytes-dir original --connbytes-mode bytes -j DROP",
         {kUdp, kUdp},
         ".D"},
        {"connlimit",
         "connlimit-above",
         "-m connlimit --connlimit-above 1 -j DROP",
         {one(1, a, to), one(2, a, to), one(3, b, to)},
         ".D."},
        {"connlimit",
         "connlimit-upto",
         "-m connlimit --connlimit-upto 1 -j DROP",
         {one(1, a, to), one(2, a, to), one(3, b, to)},
         "D.D"},
        {"connlimit",
         "connlimit-mask",
         "-m connlimit --connlimit-above 1 --connlimit-mask 24 -j DROP",
         {one(1, a, to), one(2, b, to), one(3, "10.0.1.2", to)},
         ".D."},
        {"connlimit",
         "connlimit-saddr",
         "-m connlimit --connlimit-above 1 --connlimit-saddr -j DROP",
         {one(1, a, to), one(2, a, other)},
         ".D"},
        {"connlimit",
         "connlimit-daddr",
         "-m connlimit --connlimit-above 1 --connlimit-daddr -j DROP",
         {one(1, a, to), one(2, b, to), one(3, a, other)},
         ".D."},
    };
}

}  // namespace nsr::test
