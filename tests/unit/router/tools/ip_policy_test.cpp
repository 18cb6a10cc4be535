// `ip rule` and what `ip route` says of tables, metrics and next hops: words, answers and listings,
// as iproute2 6.1 and a Linux 6.18 kernel have them.
#include <doctest/doctest.h>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/args.hpp"
#include "router/tools/ip/command.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

struct Bench {
    Router router{Router::Options{}};

    Bench() {
        add("lan", {"10.0.0.1/24", "fd00::1/64"});
        add("wan", {"192.0.2.1/24", "192.0.2.20/24", "2001:db8::1/64"});
    }
    void add(const char* name, std::vector<const char*> addresses) {
        routing::Interface interface;
        interface.name = name;
        for (const char* address : addresses) {
            interface.addresses.push_back(*parse_prefix(address));
        }
        router.add_interface(interface);
    }
    // What it prints, or what was wrong.
    std::string ip(const char* line) {
        const auto args = parse_ip_args(line);
        if (!args) {
            return args.error();
        }
        const IpAnswer answer = run_ip(*args, router, Instant{}, {});
        return answer.error.empty() ? answer.text : answer.error;
    }
    void done(std::vector<const char*> lines) {
        for (const char* line : lines) {
            CHECK_MESSAGE(ip(line) == "", line);
        }
    }
};

}  // namespace

TEST_CASE_FIXTURE(Bench, "rules are listed as ip rule does") {
    done(
        {"rule add from 10.0.0.0/24 to 198.51.100.0/24 tos 0x10 fwmark 1/0xff iif lan oif eth9 "
         "ipproto tcp sport 1-1024 dport 80 lookup 100 suppress_prefixlength 0",
         "rule add not fwmark 0xca6c table 51820", "rule add pref 50 fwmark 5 blackhole",
         "rule add pref 52 from 10.0.0.5 unreachable", "rule add pref 53 goto 100",
         "rule add pref 54 goto 90", "rule add pref 100 nop",
         "rule add pref 60 iif lo lookup default"});
    CHECK(ip("rule") ==
          "0:\tfrom all lookup local\n"
          "50:\tfrom all fwmark 0x5 blackhole\n"
          "52:\tfrom 10.0.0.5 unreachable\n"
          "53:\tfrom all goto 100\n"
          "54:\tfrom all goto 90 [unresolved]\n"
          "60:\tfrom all iif lo lookup default\n"
          "100:\tfrom all nop\n"
          "32764:\tnot from all fwmark 0xca6c lookup 51820\n"
          "32765:\tfrom 10.0.0.0/24 to 198.51.100.0/24 tos 0x10 fwmark 0x1/0xff iif lan oif eth9 "
          "[detached] ipproto tcp sport 1-1024 dport 80 lookup 100 suppress_prefixlength 0\n"
          "32766:\tfrom all lookup main\n"
          "32767:\tfrom all lookup default\n");
    CHECK(ip("-6 rule") == "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n");
    done({"rule flush"});
    CHECK(ip("rule list") == "0:\tfrom all lookup local\n");
}

TEST_CASE_FIXTURE(Bench, "rules that are wrong, or not there") {
    CHECK(ip("rule add pref 55 goto 54") == "Error: Backward goto not supported.");
    CHECK(ip("rule add pref 58 tos 0xb8 table 7") == "Error: Invalid tos.");
    CHECK(ip("rule add pref 58 tos 0x3 table 7") ==
          "Error: Invalid dsfield (tos): ECN bits must be 0.");
    CHECK(ip("rule add") == "\"ip rule add\" requires arguments.");
    CHECK(ip("rule add prio zz table 7") ==
          "Error: argument \"zz\" is wrong: preference value is invalid");
    CHECK(ip("rule del pref 9999") == "RTNETLINK answers: No such file or directory");
    CHECK(ip("rule del") == "\"ip rule del\" requires arguments.");
    CHECK(ip("rule add fwmark zz table 5") ==
          "Error: argument \"zz\" is wrong: fwmark value is invalid");
    CHECK(ip("rule add table nosuch") == "Error: argument \"nosuch\" is wrong: invalid table ID");
    CHECK(ip("rule add from 10.0.0.1/33 table 5") ==
          "Error: any valid prefix is expected rather than \"10.0.0.1/33\".");
    CHECK(ip("rule add table").find("Command line is not complete") == 0);
    CHECK(ip("rule add foo table 5").find("Error: argument \"foo\" is wrong") == 0);
    done({"rule add pref 7 table 9", "rule del table 9"});
    CHECK(ip("rule del table 9") == "RTNETLINK answers: No such file or directory");
}

TEST_CASE_FIXTURE(Bench, "a rule has one action, and what nobody looks at is refused by its name") {
    for (const char* line : {"rule add from 10.0.0.9 unreachable table 5",
                             "rule add from 10.0.0.9 table 5 unreachable",
                             "rule add from 10.0.0.9 goto 7 nop", "rule del table 5 blackhole"}) {
        CHECK_MESSAGE(ip(line) ==
                          "Error: a rule takes only one of table, goto, nop, blackhole, prohibit "
                          "and unreachable.",
                      line);
    }
    for (const char* word : {"l3mdev", "realms", "uidrange", "tun_id", "protocol"}) {
        const std::string said = "Error: \"" + std::string(word) + "\" of rules is not supported.";
        CHECK(ip(("rule add from 10.0.0.9 " + std::string(word) + " 4").c_str()) == said);
        CHECK(ip(("rule show " + std::string(word) + " 4").c_str()) == said);
    }
    CHECK(ip("rule").find("10.0.0.9") == std::string::npos);
}

TEST_CASE_FIXTURE(Bench, "rules are chosen by what they ask for, to show them and to flush them") {
    done({"rule add prio 10 from 10.0.0.10 to 10.1.0.0/16 iif lan table 10",
          "rule add prio 11 from 10.0.0.11 to 10.1.0.0/16 iif lan table 11",
          "rule add prio 13 fwmark 5/0xff oif wan ipproto tcp dport 80 blackhole",
          "rule add prio 14 not from 10.0.0.12 prohibit"});
    const std::string ten = "10:\tfrom 10.0.0.10 to 10.1.0.0/16 iif lan lookup 10\n";
    const std::string eleven = "11:\tfrom 10.0.0.11 to 10.1.0.0/16 iif lan lookup 11\n";
    const std::string web =
        "13:\tfrom all fwmark 0x5/0xff oif wan ipproto tcp dport 80 blackhole\n";
    const std::string inverted = "14:\tnot from 10.0.0.12 prohibit\n";
    const std::pair<const char*, std::string> kChosen[] = {
        {"table 10", ten},
        {"priority 11", eleven},
        {"from 10.0.0.10", ten},
        {"10.0.0.10", ten},
        {"from 10.0.0.10/31", ten + eleven},
        {"to 10.1.0.0/16", ten + eleven},
        {"to 10.1.2.3", ""},
        {"iif lan table 11", eleven},
        {"oif wan", web},
        {"fwmark 5", web},
        {"fwmark 5/0xf", ""},
        {"ipproto tcp dport 80", web},
        {"sport 80", ""},
        {"not", inverted},
        {"lookup main", "32766:\tfrom all lookup main\n"},
        {"table 10 iif lo", ""},
    };
    for (const auto& [words, lines] : kChosen) {
        CHECK_MESSAGE(ip(("rule show " + std::string(words)).c_str()) == lines, words);
    }
    CHECK(ip("rule show all") == ip("rule"));
    CHECK(ip("rule show from x") == "Error: any valid prefix is expected rather than \"x\".");
    CHECK(ip("rule show goto 5") == "Error: any valid prefix is expected rather than \"goto\".");
    CHECK(ip("rule show table").find("Command line is not complete") == 0);
    done({"rule flush table 10", "rule flush fwmark 5", "rule flush not"});
    CHECK(ip("rule") == "0:\tfrom all lookup local\n" + eleven +
                            "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n");
}

TEST_CASE_FIXTURE(Bench,
                  "behind a first rule of priority 0 the next get it, too, and all of them stay") {
    done({"rule add priority 0 from 10.0.0.4", "rule add from 10.0.0.5", "rule flush"});
    CHECK(ip("rule") ==
          "0:\tfrom all lookup local\n"
          "0:\tfrom 10.0.0.4 lookup main\n"
          "0:\tfrom 10.0.0.5 lookup main\n");
}

TEST_CASE_FIXTURE(Bench, "routes are listed with what was said of them") {
    done({"route add default via 192.0.2.9 metric 100",
          "route add default via 192.0.2.10 metric 200",
          "route add 203.0.113.0/24 via 192.0.2.9 src 192.0.2.1",
          "route add 203.0.114.0/24 via 192.0.2.9 dev wan onlink",
          "route add 203.0.115.0/24 nexthop via 192.0.2.9 nexthop via 192.0.2.10 weight 2",
          "route add 203.0.116.0/24 via 192.0.2.9 mtu 1300",
          "route add 203.0.117.0/24 via 192.0.2.9 table 100", "route add 203.0.118.5 via 192.0.2.9",
          "route append 203.0.118.5 via 192.0.2.10",
          "route add 203.0.119.0/24 via 192.0.2.9 tos 0x10",
          "route add to 203.0.120.0/24 via 192.0.2.9 proto static",
          "route add blackhole 203.0.121.0/24",
          "route add throw 203.0.122.0/24 table 100 metric 7"});
    CHECK(ip("route") ==
          "default via 192.0.2.9 dev wan metric 100\n"
          "default via 192.0.2.10 dev wan metric 200\n"
          "10.0.0.0/24 dev lan proto kernel scope link src 10.0.0.1\n"
          "192.0.2.0/24 dev wan proto kernel scope link src 192.0.2.1\n"
          "203.0.113.0/24 via 192.0.2.9 dev wan src 192.0.2.1\n"
          "203.0.114.0/24 via 192.0.2.9 dev wan onlink\n"
          "203.0.115.0/24\n"
          "\tnexthop via 192.0.2.9 dev wan weight 1\n"
          "\tnexthop via 192.0.2.10 dev wan weight 2\n"
          "203.0.116.0/24 via 192.0.2.9 dev wan mtu 1300\n"
          "203.0.118.5 via 192.0.2.9 dev wan\n"
          "203.0.118.5 via 192.0.2.10 dev wan\n"
          "203.0.119.0/24 tos 0x10 via 192.0.2.9 dev wan\n"
          "203.0.120.0/24 via 192.0.2.9 dev wan\n"
          "blackhole 203.0.121.0/24\n");
    CHECK(ip("route show table 100") ==
          "203.0.117.0/24 via 192.0.2.9 dev wan\nthrow 203.0.122.0/24 metric 7\n");
    CHECK(ip("route show dev lan") == "10.0.0.0/24 proto kernel scope link src 10.0.0.1\n");
    CHECK(ip("route show via 192.0.2.10") == "default dev wan metric 200\n203.0.118.5 dev wan\n");
    CHECK(ip("route show root 203.0.114.0/23") ==
          "203.0.114.0/24 via 192.0.2.9 dev wan onlink\n"
          "203.0.115.0/24\n"
          "\tnexthop via 192.0.2.9 dev wan weight 1\n"
          "\tnexthop via 192.0.2.10 dev wan weight 2\n");
    done({"route flush table 100", "route flush 203.0.118.5", "route flush root 203.0.0.0/16"});
    CHECK(ip("route show table 100") == "");
    CHECK(ip("route") ==
          "default via 192.0.2.9 dev wan metric 100\n"
          "default via 192.0.2.10 dev wan metric 200\n"
          "10.0.0.0/24 dev lan proto kernel scope link src 10.0.0.1\n"
          "192.0.2.0/24 dev wan proto kernel scope link src 192.0.2.1\n");
}

TEST_CASE_FIXTURE(Bench, "routes that are refused") {
    for (const char* mtu : {"mtu 0", "mtu 67", "mtu lock 10"}) {
        CHECK(ip(("route add 198.18.0.0/16 via 192.0.2.9 " + std::string(mtu)).c_str())
                  .starts_with("mtu of a route is from 68 to 65535, not "));
    }
    done({"route add 198.18.0.0/16 via 192.0.2.9 metric 5"});
    CHECK(ip("route add 198.18.0.0/16 via 192.0.2.10 metric 5") ==
          "RTNETLINK answers: File exists");
    CHECK(ip("route add 198.19.0.0/16 via 192.0.2.11 src 192.0.2.77") ==
          "Error: Invalid prefsrc address.");
    CHECK(ip("route add 198.19.0.0/16 via 172.16.0.1 onlink") ==
          "Error: Nexthop device required for onlink.");
    CHECK(ip("route change 198.21.0.0/16 via 192.0.2.9") ==
          "RTNETLINK answers: No such file or directory");
    CHECK(ip("route add 1.2.3.4 via 192.0.2.9 metric x") ==
          "Error: argument \"x\" is wrong: \"metric\" value is invalid");
    CHECK(ip("route add 1.2.3.4 via 192.0.2.9 table foo") ==
          "Error: argument \"foo\" is wrong: \"table\" value is invalid");
    CHECK(ip("-6 route add 2001:db8:8::/48 via 2001:db8::10 src fd00::77") ==
          "Error: Invalid source address.");
    CHECK(ip("-6 route change 2001:db8:99::/48 via 2001:db8::10") ==
          "Error: Can not replace route - no match found.");
    CHECK(ip("route flush") == "\"ip route flush\" requires arguments.");
    CHECK(ip("route flush type wrong") ==
          "Error: argument \"wrong\" is wrong: node type value is invalid");
    CHECK(ip("route get 198.51.100.7 ipproto nonsense") ==
          "Error: argument \"nonsense\" is wrong: Invalid \"ipproto\" value");
    CHECK(ip("route add table 7 dev wan") == "a route needs a destination: a prefix or `default`");
    CHECK(ip("route add 198.19.0.0/16 198.20.0.0/16 dev wan") ==
          "unexpected \"198.20.0.0/16\"; a route takes via, dev, table, metric, tos, src, mtu, "
          "onlink and nexthop");
    CHECK(ip("route add local 198.19.0.0/16 dev lo") ==
          "routes of type local follow the addresses; they cannot be changed");
}

TEST_CASE_FIXTURE(Bench, "IPv6: append makes several next hops; the metric is always shown") {
    done({"-6 route add 2001:db8:5::/48 via 2001:db8::9",
          "-6 route append 2001:db8:5::/48 via 2001:db8::10",
          "-6 route add 2001:db8:6::/48 via 2001:db8::10 metric 5 src fd00::1"});
    CHECK(ip("-6 route show root 2001:db8::/32") ==
          "2001:db8::/64 dev wan proto kernel metric 256\n"
          "2001:db8:5::/48 metric 1024\n"
          "\tnexthop via 2001:db8::9 dev wan weight 1\n"
          "\tnexthop via 2001:db8::10 dev wan weight 1\n"
          "2001:db8:6::/48 via 2001:db8::10 dev wan src fd00::1 metric 5\n");
}

TEST_CASE_FIXTURE(Bench, "route get says which way a packet takes") {
    done({"route add default via 192.0.2.9",
          "route add default via 192.0.2.10 table 100 src 192.0.2.20",
          "rule add fwmark 3 table 100", "route add blackhole 203.0.121.0/24"});
    CHECK(ip("route get 198.18.0.1") == "198.18.0.1 via 192.0.2.9 dev wan src 192.0.2.1\n");
    CHECK(ip("route get 198.18.0.1 mark 3") ==
          "198.18.0.1 via 192.0.2.10 dev wan table 100 src 192.0.2.20 mark 3\n");
    CHECK(ip("route get 10.0.0.1") == "local 10.0.0.1 dev lo src 10.0.0.1\n");
    CHECK(ip("route get 203.0.121.1") == "RTNETLINK answers: Invalid argument");
    CHECK(ip("-6 route get 2001:db8:9::1") == "RTNETLINK answers: Network is unreachable");
    CHECK(ip("route get 198.18.0.1 from 10.0.0.5 iif lan") ==
          "198.18.0.1 from 10.0.0.5 via 192.0.2.9 dev wan\n");
    CHECK(ip("route get 198.18.0.1 from 10.0.0.5") == "RTNETLINK answers: Network is unreachable");
    CHECK(ip("route get 198.18.0.1 from 192.0.2.20") ==
          "198.18.0.1 from 192.0.2.20 via 192.0.2.9 dev wan\n");
}

// As the tool says it on Linux 6.18 for such links.
TEST_CASE_FIXTURE(Bench, "route get of what goes to many") {
    CHECK(ip("route get 10.0.0.255") ==
          "broadcast 10.0.0.255 dev lan src 10.0.0.1\n    cache <local,brd>\n");
    CHECK(ip("route get 10.0.0.255 from 10.0.0.1 mark 5") ==
          "broadcast 10.0.0.255 from 10.0.0.1 dev lan mark 5\n    cache <local,brd>\n");
    CHECK(ip("route get 10.0.0.255 from 10.0.0.2 iif lan") ==
          "broadcast 10.0.0.255 from 10.0.0.2 dev lo\n    cache <local,brd> iif lan\n");
    CHECK(ip("route get 10.0.0.255 oif wan") == "10.0.0.255 dev wan src 192.0.2.1\n");
    for (const std::string to : {"255.255.255.255", "224.0.0.1", "239.1.2.3"}) {
        CHECK(ip(("route get " + to).c_str()) == "RTNETLINK answers: Network is unreachable");
    }
    CHECK(ip("route get 255.255.255.255 oif lan") ==
          "broadcast 255.255.255.255 dev lan src 10.0.0.1\n    cache <local,brd>\n");
    CHECK(ip("route get 255.255.255.255 from 10.0.0.2 iif lan") ==
          "broadcast 255.255.255.255 from 10.0.0.2 dev lo\n    cache <local,brd> iif lan\n");
    CHECK(ip("route get 224.0.0.1 oif lan") ==
          "multicast 224.0.0.1 dev lan src 10.0.0.1\n    cache <local,mc>\n");
    CHECK(ip("route get 224.0.0.1 from 10.0.0.2 iif lan") ==
          "multicast 224.0.0.1 from 10.0.0.2 dev lo\n    cache <local,mc> iif lan\n");
    CHECK(ip("route get 239.1.2.3 from 10.0.0.1") ==
          "multicast 239.1.2.3 from 10.0.0.1 dev lan\n    cache <mc>\n");
    CHECK(ip("route get 239.1.2.3 from 10.0.0.2 iif lan") == "RTNETLINK answers: Invalid argument");

    done({"route add default via 192.0.2.9"});
    CHECK(ip("route get 239.1.2.3") ==
          "multicast 239.1.2.3 dev wan src 192.0.2.1\n    cache <mc>\n");
    CHECK(ip("route get 255.255.255.255") ==
          "broadcast 255.255.255.255 dev wan src 192.0.2.1\n    cache <local,brd>\n");
    CHECK(ip("route get 10.0.0.255 oif wan") == "10.0.0.255 via 192.0.2.9 dev wan src 192.0.2.1\n");

    CHECK(ip("route get ff05::7") ==
          "multicast ff05::7 from :: dev lan table local proto kernel src fd00::1 metric 256\n");
    CHECK(
        ip("route get ff05::7 oif wan") ==
        "multicast ff05::7 from :: dev wan table local proto kernel src 2001:db8::1 metric 256\n");
    CHECK(ip("route get ff02::1 from fd00::2 iif lan") == "RTNETLINK answers: Message too long");
    CHECK(ip("route get fd00::") == "anycast fd00:: dev lo src fd00::1\n");
}

TEST_CASE_FIXTURE(Bench, "a route's destination may stand behind its words") {
    done({"route add table 7 default dev wan", "route add table 7 via 192.0.2.9 to 198.18.0.0/16"});
    CHECK(ip("route show table 7") ==
          "default dev wan scope link\n198.18.0.0/16 via 192.0.2.9 dev wan\n");
    done({"route del metric 0 table 7 default"});
    CHECK(ip("route show table 7") == "198.18.0.0/16 via 192.0.2.9 dev wan\n");
}
