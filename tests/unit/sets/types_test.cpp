// Every type of set: what it takes, what packets find in it, and what it says when asked.
#include <doctest/doctest.h>

#include "language.hpp"

using namespace nsr;

namespace {

struct TypeCase {
    std::string type;
    std::string options;
    std::string added;    // an element
    std::string held;     // what is found by it
    std::string other;    // what is not
    std::string refused;  // what cannot be added
};

const std::vector<TypeCase> kCases = {
    {"hash:ip", "", "10.0.0.0/30", "10.0.0.3", "10.0.0.4", "0.0.0.0"},
    {"hash:ip", "family inet6", "2001:db8::1", "2001:db8::1", "2001:db8::2", "::"},
    {"hash:ip", "netmask 24", "10.0.0.7", "10.0.0.99", "10.0.1.7", "0.0.0.0"},
    {"hash:net", "", "10.0.0.0/8", "10.9.9.9", "11.0.0.0", "0.0.0.0/0"},
    {"hash:net", "family inet6", "fd00::/8", "fd12::1", "fe80::1", "::/0"},
    {"hash:ip,port", "", "10.0.0.1,tcp:80-82", "10.0.0.1,81", "10.0.0.1,udp:81", "10.0.0.1,gre:9"},
    {"hash:ip,port", "family inet6", "fd00::1,icmpv6:ping", "fd00::1,icmpv6:128/0",
     "fd00::1,icmpv6:129/0", "fd00::1,icmp:ping"},
    {"hash:net,port", "", "10.0.0.0/8,udp:53", "10.1.2.3,udp:53", "10.1.2.3,udp:54", "0/0,80"},
    {"hash:ip,port,ip", "", "10.0.0.1,80,10.0.0.2", "10.0.0.1,80,10.0.0.2", "10.0.0.1,80,10.0.0.3",
     "10.0.0.1,80"},
    {"hash:ip,port,net", "", "10.0.0.1,80,10.2.0.0/16", "10.0.0.1,80,10.2.3.4",
     "10.0.0.1,80,10.3.3.4", "10.0.0.1,80,0/0"},
    {"hash:net,net", "", "10.0.0.0/8,192.168.0.0/16", "10.1.1.1,192.168.1.1",
     "10.1.1.1,192.169.1.1", "10.0.0.0/8"},
    {"hash:net,port,net", "", "10.0.0.0/8,53,192.168.0.0/16", "10.1.1.1,53,192.168.1.1",
     "10.1.1.1,54,192.168.1.1", "10.0.0.0/8,53"},
    {"hash:net,iface", "", "10.0.0.0/8,lan", "10.1.1.1,lan", "10.1.1.1,wan", "10.0.0.0/8"},
    {"hash:ip,mark", "markmask 0xff", "10.0.0.1,0x163", "10.0.0.1,0x63", "10.0.0.1,0x64",
     "10.0.0.1,x"},
    {"hash:mac", "", "02:00:00:00:00:01", "2:0:0:0:0:1", "02:00:00:00:00:02", "00:00:00:00:00:00"},
    {"hash:ip,mac", "", "10.0.0.1,02:00:00:00:00:01", "10.0.0.1,02:00:00:00:00:01",
     "10.0.0.1,02:00:00:00:00:02", "10.0.0.1"},
    {"bitmap:ip", "range 10.0.0.0/24", "10.0.0.8/30", "10.0.0.11", "10.0.0.12", "10.0.1.0"},
    {"bitmap:ip,mac", "range 10.0.0.0/24", "10.0.0.1,02:00:00:00:00:01", "10.0.0.1", "10.0.0.2",
     "10.0.1.0"},
    {"bitmap:port", "range 0-1023", "80-90", "85", "91", "1024"},
};

}  // namespace

TEST_CASE("every type holds what was added, and nothing else") {
    for (const TypeCase& each : kCases) {
        CAPTURE(each.type + " " + each.options);
        sets::Sets sets(1, 2);
        REQUIRE(tell(sets, "create s " + each.type + " " + each.options).errors == "");
        CHECK(tell(sets, "add s " + each.added).errors == "");
        CHECK(tell(sets, "add s " + each.added).exit_code == 1);
        CHECK(tell(sets, "-! add s " + each.added).exit_code == 0);
        CHECK(tell(sets, "add s " + each.refused).exit_code == 1);
        CHECK(tell(sets, "test s " + each.held).exit_code == 0);
        CHECK(tell(sets, "test s " + each.other).exit_code == 1);
        CHECK(tell(sets, "del s " + each.added).errors == "");
        CHECK(tell(sets, "test s " + each.held).exit_code == 1);
        CHECK(tell(sets, "del s " + each.added).exit_code == 1);
    }
}

TEST_CASE("what is saved can be restored, and is then the same") {
    for (const TypeCase& each : kCases) {
        CAPTURE(each.type + " " + each.options);
        sets::Sets sets(1, 2);
        tell(sets,
             "create s " + each.type + " " + each.options + " timeout 60 counters comment skbinfo");
        tell(sets, "add s " + each.added +
                       " packets 1 bytes 40 comment 'what it is' skbmark 0x1/0xf timeout 0");
        const std::string saved = tell(sets, "save").text;
        sets::Sets others(3, 4);
        const router::IpsetArgs restore{.command = router::IpsetCommand::Restore};
        const auto answer = router::run_ipset(
            restore, {others, [] { return sets::References(); }, Instant{}}, saved);
        CHECK(answer.errors == "");
        CHECK(tell(others, "save").text == saved);
    }
}

TEST_CASE("every type of the table is in the list above, or is list:set") {
    for (const sets::SetType& type : sets::set_types()) {
        CAPTURE(type.name);
        const bool tried = std::any_of(kCases.begin(), kCases.end(), [&](const TypeCase& each) {
            return each.type == type.name;
        });
        CHECK((tried || type.name == "list:set"));
    }
}
