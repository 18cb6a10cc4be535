// What /proc/net/snmp and snmp6 say. The figures of the first two cases are a Linux 6.18's after
// the same packets.
#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "core/procfs/files.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

World with_narrow_wan() {
    World w = given("*filter\n-A FORWARD -p icmp -j DROP\nCOMMIT\n");
    w.router().set_mtu(w.router().interfaces().find("wan")->index, 1400);
    return w;
}

// "title: name" with its value, for what is not 0.
std::string nonzero(const std::string& text, const std::string& title) {
    std::string out;
    std::istringstream lines(text);
    std::string names;
    std::string values;
    while (std::getline(lines, names) && std::getline(lines, values)) {
        std::istringstream name_words(names);
        std::istringstream value_words(values);
        std::string name;
        std::string value;
        while (name_words >> name && value_words >> value) {
            if (value != "0" && name != value && names.starts_with(title + ":")) {
                out += name + "=" + value + " ";
            }
        }
    }
    return out;
}

std::string nonzero6(const std::string& text) {
    std::string out;
    std::istringstream words(text);
    std::string name;
    std::string value;
    while (words >> name >> value) {
        out += value != "0" ? name + "=" + value + " " : "";
    }
    return out;
}

}  // namespace

TEST_CASE("snmp: forwarded, delivered, fragmented and refused packets, and the router's own") {
    World w = with_narrow_wan();
    const PacketBuilder question = udp("10.0.0.2:4000", "198.51.100.7:53");
    w.when("lan", PacketBuilder(question).data("?"));
    w.when("lan", PacketBuilder(question).data("?").ttl(1));
    w.when("lan", ping("10.0.0.2", "10.0.0.1"));
    w.when("lan", udp("10.0.0.2:4000", "10.0.0.1:53").data("?"));
    w.when("lan", ip(253, "10.0.0.2", "10.0.0.1").data("abcd"));
    w.when("lan", PacketBuilder(question).payload(1600));
    w.when("lan", PacketBuilder(question).payload(1600).dont_fragment());
    w.when("lan", PacketBuilder(question).payload(800).id(7).fragment(0, true, 400));
    w.when("lan", PacketBuilder(question).payload(800).id(7).fragment(400, false, 408));
    w.when("lan", ping("10.0.0.2", "198.51.100.7"));
    w.forget();
    procfs::Context context{w.router(), {}, {}, 0};
    const std::string text = procfs::read_snmp(context, w.now());
    CHECK(nonzero(text, "Ip") ==
          "Forwarding=1 DefaultTTL=64 InReceives=10 InHdrErrors=1 ForwDatagrams=5 "
          "InUnknownProtos=1 InDelivers=2 OutRequests=5 ReasmReqds=2 ReasmOKs=1 FragOKs=2 "
          "FragFails=1 FragCreates=4 OutTransmits=10 ");
    CHECK(nonzero(text, "Icmp") ==
          "InMsgs=1 InEchos=1 OutMsgs=5 OutDestUnreachs=3 OutTimeExcds=1 OutEchoReps=1 ");
    CHECK(nonzero(text, "IcmpMsg") == "InType8=1 OutType0=1 OutType3=3 OutType11=1 ");
}

TEST_CASE("snmp6: the same for IPv6") {
    World w = with_narrow_wan();
    const PacketBuilder question = udp("[fd00:1::2]:4000", "[2001:db8:9::7]:53");
    w.when("lan", PacketBuilder(question).data("?"));
    w.when("lan", PacketBuilder(question).data("?").ttl(1));
    w.when("lan", ping("fd00:1::2", "fd00:1::1"));
    w.when("lan", udp("[fd00:1::2]:4000", "[fd00:1::1]:53").data("?"));
    w.when("lan", ip(253, "fd00:1::2", "fd00:1::1").data("abcd"));
    w.when("lan", PacketBuilder(question).payload(1400));
    w.forget();
    procfs::Context context{w.router(), {}, {}, 0};
    CHECK(nonzero6(procfs::read_snmp6(context, w.now())) ==
          "Ip6InReceives=6 Ip6InHdrErrors=1 Ip6InTooBigErrors=1 Ip6InUnknownProtos=1 "
          "Ip6InDelivers=2 Ip6OutForwDatagrams=2 Ip6OutRequests=5 Ip6FragFails=1 "
          "Ip6InOctets=1687 Ip6OutOctets=1663 Ip6OutTransmits=6 Icmp6InMsgs=1 Icmp6OutMsgs=5 "
          "Icmp6InEchos=1 Icmp6OutDestUnreachs=1 Icmp6OutPktTooBigs=1 Icmp6OutTimeExcds=1 "
          "Icmp6OutParmProblems=1 Icmp6OutEchoReplies=1 Icmp6InType128=1 Icmp6OutType1=1 "
          "Icmp6OutType2=1 Icmp6OutType3=1 Icmp6OutType4=1 Icmp6OutType129=1 ");
}

TEST_CASE("snmp: routes missing for what came in are told apart from the router's own") {
    World w = with_narrow_wan();
    REQUIRE(w.router().set_routes({}));
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.1:53").data("?"));
    w.expect_icmp("lan", 3, 0).expect_drop(DropReason::NoRoute);
    w.when("wan", ping("203.0.113.9", "192.0.2.1"));
    w.expect_drop(DropReason::NoRoute);
    procfs::Context context{w.router(), {}, {}, 0};
    CHECK(nonzero(procfs::read_snmp(context, w.now()), "Ip").find("OutNoRoutes=1") !=
          std::string::npos);
    CHECK(nonzero(procfs::read_netstat(context, w.now()), "IpExt").find("InNoRoutes=1") !=
          std::string::npos);
}
