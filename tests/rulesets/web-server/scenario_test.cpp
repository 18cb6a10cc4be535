// The web server of the story that nsrouter begins with.
#include <doctest/doctest.h>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kClient = "101.81.225.225:33952";
constexpr const char* kServer = "112.74.99.130:80";

}  // namespace

TEST_CASE("web server: a visitor's connection, line by line") {
    World w = running("web-server");
    w.when("eth0", tcp(kClient, kServer).syn().seq(1));
    w.expect("host", tcp(kClient, kServer).syn().seq(1));
    w.expect_entry(
        "tcp 6 SYN_SENT src=101.81.225.225 dst=112.74.99.130 sport=33952 dport=80 [UNREPLIED] "
        "src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 mark=0 secmark=0 use=2");
    w.when("host", tcp(kServer, kClient).syn().seq(7).ack(2));
    w.expect("eth0", tcp(kServer, kClient).syn().seq(7).ack(2));
    w.when("eth0", tcp(kClient, kServer).seq(2).ack(8));
    w.expect("host", tcp(kClient, kServer).seq(2).ack(8));
    w.expect_entry(
        "tcp 6 ESTABLISHED src=101.81.225.225 dst=112.74.99.130 sport=33952 dport=80 "
        "src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 [ASSURED] mark=0 secmark=0 "
        "use=2");
    w.after(432001s).expect_no_entry();
}

TEST_CASE("web server: what is no service is rejected, and leaves no entry") {
    World w = running("web-server");
    w.when("eth0", tcp(kClient, "112.74.99.130:3306").syn());
    w.expect_icmp("eth0", 3, 10).expect_drop(DropReason::RuleReject);
    w.expect_no_entry();
}

TEST_CASE("web server: what was planted in it can answer from port 80, but not begin anything") {
    World w = running("web-server");
    w.when("host", tcp(kServer, "203.0.113.66:4444").syn().seq(1));
    w.expect_drop(DropReason::PolicyDrop);
    CHECK(w.log().back().find("new from port 80: IN= OUT=eth0 ") == 0);
    w.expect_no_entry();
    w.when("host", udp("112.74.99.130:4000", "112.74.99.53:53").data("?"));
    w.expect("eth0", udp("112.74.99.130:4000", "112.74.99.53:53").data("?"));
}

TEST_CASE("web server: a full table refuses the next visitor, and says so") {
    World w = running("web-server");
    w.sysctl("net.netfilter.nf_conntrack_max", "2");
    for (const char* from : {"101.81.225.225:1", "101.81.225.225:2"}) {
        w.when("eth0", tcp(from, kServer).syn().seq(1));
        w.when("host", tcp(kServer, from).syn().seq(7).ack(2));
        w.when("eth0", tcp(from, kServer).seq(2).ack(8)).forget();
    }
    w.when("eth0", tcp(kClient, kServer).syn()).expect_drop(DropReason::TableFull);
    CHECK(w.log().back() == "nf_conntrack: table full, dropping packet");
    w.expect_entries(2);
}
