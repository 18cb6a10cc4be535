// NATs that are not Linux's: whom an endpoint inside can be reached by, and what it looks like.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/nat/behaviour.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

// A router whose rule says `options`, and which lets nobody in that it was not told to expect.
World behind(const std::string& options, const std::string& matches = "") {
    return given("*nat\n-A POSTROUTING -o wan " + matches + "-j MASQUERADE " + options +
                 "\nCOMMIT\n"
                 "*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED "
                 "-j ACCEPT\n-A FORWARD -i lan -j ACCEPT\nCOMMIT\n");
}

void opens(World& w) {
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.7:53").ttl(63));
}

}  // namespace

TEST_CASE("nat behaviour: a full cone lets anybody in to an endpoint that is mapped") {
    World w = behind("--profile full-cone");
    opens(w);
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.1:4000"));
    w.expect("lan", udp("203.0.113.9:7000", "10.0.0.2:4000").ttl(63));
    w.expect_entry("udp 17 src=203.0.113.9 dst=192.0.2.1 sport=7000 dport=4000");
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:7000"));
    w.expect("wan", udp("192.0.2.1:4000", "203.0.113.9:7000").ttl(63));
    w.when("wan", tcp("203.0.113.9:7000", "192.0.2.1:4000").syn());
    w.expect_drop(DropReason::LocalNoListener).forget();  // the endpoint is one of UDP
}

TEST_CASE("nat behaviour: a restricted cone lets in whom the endpoint has talked to") {
    World w = behind("--profile restricted-cone");
    opens(w);
    w.when("wan", udp("198.51.100.7:9999", "192.0.2.1:4000"));
    w.expect("lan", udp("198.51.100.7:9999", "10.0.0.2:4000").ttl(63));
    w.when("wan", udp("203.0.113.9:53", "192.0.2.1:4000"));
    w.expect_drop(DropReason::NatFiltered);
}

TEST_CASE("nat behaviour: a port-restricted cone looks alike to all, and admits answers alone") {
    World w = behind("--profile port-restricted-cone");
    opens(w);
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:7000"));
    w.expect("wan", udp("192.0.2.1:4000", "203.0.113.9:7000").ttl(63));
    w.when("wan", udp("203.0.113.9:7001", "192.0.2.1:4000"));
    w.expect_drop(DropReason::NatFiltered);
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.1:4000"));
    w.expect("lan", udp("203.0.113.9:7000", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat behaviour: no two endpoints share one outside, whomever they talk to") {
    World w = behind("--mapping endpoint-independent --port-allocation preserve");
    opens(w);
    w.when("lan", udp("10.0.0.3:4000", "203.0.113.9:53")).forget();
    w.expect_entry("src=10.0.0.3 dst=203.0.113.9 sport=4000 dport=53");
    for (const std::string& entry : w.entries()) {
        const bool other = entry.find("src=10.0.0.3") != std::string::npos;
        CHECK((entry.find("dst=192.0.2.1 sport=53 dport=4000") == std::string::npos) == other);
    }
}

TEST_CASE("nat behaviour: a symmetric one looks different to each, in turn") {
    World w = behind("--profile symmetric-sequential");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:1024", "198.51.100.7:53").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:54"));
    w.expect("wan", udp("192.0.2.1:1025", "198.51.100.7:54").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:1024", "198.51.100.7:53").ttl(63));
    w.when("wan", udp("198.51.100.7:55", "192.0.2.1:1025"));
    w.expect_drop(DropReason::NatFiltered);
}

TEST_CASE("nat behaviour: in turn means those of the rule, or of the class of the port") {
    World w = behind("--port-allocation sequential");
    w.when("lan", udp("10.0.0.2:500", "198.51.100.7:500"));
    w.expect("wan", udp("192.0.2.1:1", "198.51.100.7:500").ttl(63));
    World named = behind("--to-ports 50000-50001 --port-allocation sequential", "-p udp ");
    named.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53")).forget();
    named.when("lan", udp("10.0.0.2:4000", "198.51.100.7:54")).forget();
    named.expect_entry("dst=192.0.2.1 sport=53 dport=50000");
    named.expect_entry("dst=192.0.2.1 sport=54 dport=50001");
}

TEST_CASE("nat behaviour: address-dependent mapping keeps one face for all ports of a host") {
    World w = behind("--mapping address-dependent --port-allocation sequential");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:1024", "198.51.100.7:53").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:54"));
    w.expect("wan", udp("192.0.2.1:1024", "198.51.100.7:54").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:53"));
    w.expect("wan", udp("192.0.2.1:1025", "203.0.113.9:53").ttl(63));
}

TEST_CASE("nat behaviour: TCP is mapped as UDP is") {
    World w = behind("--profile full-cone");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn());
    w.expect("wan", tcp("192.0.2.1:4000", "198.51.100.7:80").syn().ttl(63));
    w.when("wan", tcp("203.0.113.9:7000", "192.0.2.1:4000").syn());
    w.expect("lan", tcp("203.0.113.9:7000", "10.0.0.2:4000").syn().ttl(63));
}

TEST_CASE("nat behaviour: hosts inside reach each other by their faces outside") {
    World w = behind("--profile full-cone");
    opens(w);
    w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000"));
    w.expect("lan", udp("192.0.2.1:5000", "10.0.0.2:4000").ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "192.0.2.1:5000"));
    w.expect("lan", udp("192.0.2.1:4000", "10.0.0.3:5000").ttl(63));
}

TEST_CASE("nat behaviour: two hosts behind one filter open it to each other") {
    for (const char* profile : {"--profile restricted-cone", "--profile port-restricted-cone"}) {
        CAPTURE(profile);
        World w = behind(profile);
        opens(w);
        w.when("lan", udp("10.0.0.3:5000", "198.51.100.7:53")).forget();
        w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000"));
        w.expect_drop(DropReason::NatFiltered);
        w.when("lan", udp("10.0.0.2:4000", "192.0.2.1:5000"));
        w.expect("lan", udp("192.0.2.1:4000", "10.0.0.3:5000").ttl(63));
        w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000"));
        w.expect("lan", udp("192.0.2.1:5000", "10.0.0.2:4000").ttl(63));
    }
}

TEST_CASE("nat behaviour: a host that STUN told its endpoint need not have talked since") {
    World w = behind("--profile port-restricted-cone");
    opens(w);
    w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000")).expect_drop(DropReason::NatFiltered);
    CHECK(w.router().nat().mappings().all().size() == 1);  // that of 10.0.0.3 went with the packet
    w.when("lan", udp("10.0.0.3:5000", "198.51.100.7:53")).forget();
    w.when("lan", udp("10.0.0.2:4000", "192.0.2.1:5000"));
    w.expect("lan", udp("192.0.2.1:4000", "10.0.0.3:5000").ttl(63));
}

TEST_CASE("nat behaviour: some show the inside address to hosts inside") {
    World w = behind("--profile full-cone --hairpin internal");
    opens(w);
    w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000"));
    w.expect("lan", udp("10.0.0.3:5000", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat behaviour: without hairpinning it is the router that was asked") {
    World w = behind("--profile full-cone --hairpin no");
    opens(w);
    w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000"));
    w.expect_icmp("lan", 3, 3);
}

TEST_CASE("nat behaviour: a mapping ends with its last connection") {
    World w = behind("--profile full-cone");
    opens(w);
    w.after(std::chrono::seconds(31));
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.1:4000"));
    w.expect_icmp("wan", 3, 3);
    CHECK(w.router().nat().mappings().empty());
}

TEST_CASE("nat behaviour: each host has a block of ports for itself") {
    World w = behind("--mapping endpoint-independent --port-block 512");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.when("lan", udp("10.0.0.3:4000", "198.51.100.7:53"));
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:53")).forget();
    std::vector<unsigned> blocks;
    for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
        blocks.push_back((mapping.outside.port - 1024u) / 512u);
    }
    REQUIRE(blocks.size() == 3);
    CHECK(blocks == std::vector<unsigned>{0, 1, 0});
}

TEST_CASE("nat behaviour: a host has as many connections as it may have") {
    World w = behind("--mapping endpoint-independent --session-limit 2");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:53"));
    w.forget();
    w.when("lan", udp("10.0.0.2:4002", "198.51.100.7:53"));
    w.expect_drop(DropReason::NatSessionLimit);
    w.when("lan", udp("10.0.0.3:4002", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:4002", "198.51.100.7:53").ttl(63));
}

TEST_CASE("nat behaviour: strangers do not use up what a host may have") {
    World w = behind("--profile full-cone --session-limit 2");
    opens(w);
    for (int port = 7000; port < 7002; ++port) {
        w.when("wan", udp("203.0.113.9:" + std::to_string(port), "192.0.2.1:4000")).forget();
    }
    w.expect_entries(3);
    w.when("wan", udp("203.0.113.9:7002", "192.0.2.1:4000"));
    w.expect_drop(DropReason::NatSessionLimit);
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:4001", "198.51.100.7:53").ttl(63));
}

TEST_CASE("nat behaviour: blocks are of the ports that the rule names") {
    World w =
        behind("--to-ports 50000-50099 --mapping endpoint-independent --port-block 50", "-p udp ");
    for (const char* host : {"10.0.0.2:4000", "10.0.0.3:4000", "10.0.0.2:4001"}) {
        w.when("lan", udp(host, "198.51.100.7:53")).forget();
    }
    std::vector<unsigned> blocks;
    for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
        REQUIRE(mapping.outside.port >= 50000);
        blocks.push_back((mapping.outside.port - 50000u) / 50u);
    }
    CHECK(blocks == std::vector<unsigned>{0, 1, 0});
    w.when("lan", udp("10.0.0.4:4000", "198.51.100.7:53"));
    w.expect_drop(DropReason::NatPortsUsedUp);
}

TEST_CASE("nat behaviour: UDP does not get out where it is blocked, TCP does") {
    World w = behind("--profile udp-blocked");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect_drop(DropReason::NatRefused);
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn());
    w.expect("wan", tcp("192.0.2.1:4000", "198.51.100.7:80").syn().ttl(63));
}

TEST_CASE("nat behaviour: RTCP gets the port behind that of its RTP") {
    World w = behind("--mapping endpoint-independent --port-allocation contiguous");
    w.when("lan", udp("10.0.0.9:6000", "198.51.100.7:53"));
    w.forget();
    w.when("lan", udp("10.0.0.2:6000", "198.51.100.7:53"));
    w.when("lan", udp("10.0.0.2:6001", "198.51.100.7:54")).forget();
    std::vector<unsigned> ports;
    for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
        ports.push_back(mapping.outside.port);
    }
    REQUIRE(ports.size() == 3);
    CHECK(ports[1] != 6000);
    CHECK(ports[1] % 2 == 0);
    CHECK(ports[2] == ports[1] + 1);
}

TEST_CASE("nat behaviour: a full cone of IPv6") {
    World w = given(
        {.rules_v6 = "*nat\n-A POSTROUTING -o wan -j MASQUERADE --profile full-cone\nCOMMIT\n"});
    w.when("lan", udp("[fd00:1::2]:4000", "[2001:db8:7::7]:53"));
    w.expect("wan", udp("[2001:db8::1]:4000", "[2001:db8:7::7]:53").ttl(63));
    w.when("wan", udp("[2001:db8:7::9]:7000", "[2001:db8::1]:4000"));
    w.expect("lan", udp("[2001:db8:7::9]:7000", "[fd00:1::2]:4000").ttl(63));
}

TEST_CASE("nat behaviour: every profile is taken, saved as it was said, and translates TCP") {
    for (const nat::Profile& profile : nat::profiles()) {
        const std::string options = "--profile " + std::string(profile.name);
        CAPTURE(options);
        World w = behind(options);
        w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn()).forget();
        w.expect_rule_packets("-A POSTROUTING -o wan -j MASQUERADE " + options, 1);
        w.expect_entry("tcp 6 SYN_SENT src=10.0.0.2 dst=198.51.100.7 sport=4000 dport=80");
        CHECK(w.router().nat().mappings().all().size() == 1);
    }
}
