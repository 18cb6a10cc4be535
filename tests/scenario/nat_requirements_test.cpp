// What RFC 4787, 5382, 5508, 6888 and 7857 ask of a NAT, one story for each requirement that has
// none elsewhere; docs/nat-behaviour.md says which is whose.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/support/nat_text.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

// The NAT that the RFCs describe.
const std::string kGood =
    "--mapping endpoint-independent --filtering address-dependent "
    "--port-allocation preserve-or-parity --hairpin external";

World behind(const std::string& options) {
    return given("*nat\n-A POSTROUTING -o wan -j MASQUERADE " + options + "\nCOMMIT\n");
}

// Of the packet with which `inside` looks like `outside` to a server.
void maps(World& w, const std::string& inside, const std::string& outside,
          const std::string& server = "198.51.100.7:53") {
    w.when("lan", udp(inside, server));
    w.expect("wan", udp(outside, server).ttl(63));
}

}  // namespace

TEST_CASE("nat requirements: a host has one address of a pool for all that it does") {
    World w = given(
        "*nat\n-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.16-192.0.2.31 "
        "--mapping endpoint-independent\nCOMMIT\n");
    std::set<std::string> all;
    for (int host = 2; host < 12; ++host) {
        std::set<IpAddress> own;
        for (int i = 0; i < 8; ++i) {
            const std::string inside =
                "10.0.0." + std::to_string(host) + ":" + std::to_string(4000 + i);
            w.when("lan", udp(inside, "198.51.100." + std::to_string(i) + ":53")).forget();
        }
        for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
            if (mapping.inside.source.address ==
                IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(host))) {
                own.insert(mapping.outside.address);
                all.insert(to_string(mapping.outside.address));
            }
        }
        CHECK(own.size() == 1);
    }
    CHECK(all.size() > 1);
}

TEST_CASE("nat requirements: with arbitrary pooling a host has several addresses") {
    World w = given(
        "*nat\n-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.16-192.0.2.31 "
        "--mapping endpoint-independent --pooling arbitrary\nCOMMIT\n");
    std::set<IpAddress> own;
    for (int i = 0; i < 16; ++i) {
        w.when("lan", udp("10.0.0.2:" + std::to_string(4000 + i),
                          "198.51.100." + std::to_string(i) + ":53"))
            .forget();
    }
    for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
        own.insert(mapping.outside.address);
    }
    CHECK(own.size() > 1);
}

TEST_CASE("nat requirements: a port that is not free stays in its class") {
    World w = behind(kGood);
    maps(w, "10.0.0.2:500", "192.0.2.1:500");
    w.when("lan", udp("10.0.0.3:500", "203.0.113.9:53")).forget();
    const auto& all = w.router().nat().mappings().all();
    REQUIRE(all.size() == 2);
    CHECK(all.rbegin()->second.outside.port < 1024);
    CHECK(all.rbegin()->second.outside.port % 2 == 0);
}

TEST_CASE("nat requirements: Linux shares a port between hosts that talk to others") {
    World w = behind("");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    maps(w, "10.0.0.3:4000", "192.0.2.1:4000", "203.0.113.9:53");
}

TEST_CASE("nat requirements: mappings last as long as the sysctl says") {
    World w = behind(kGood);
    w.sysctl("net.netfilter.nf_conntrack_udp_timeout", "300");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.after(299s);
    w.when("wan", udp("198.51.100.7:54", "192.0.2.1:4000"));
    w.expect("lan", udp("198.51.100.7:54", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat requirements: packets from inside refresh, those from outside too unless told") {
    for (const std::string refresh : {"both", "outbound", "inbound"}) {
        CAPTURE(refresh);
        World w = behind("--profile full-cone --refresh " + refresh);
        maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
        w.when("wan", udp("198.51.100.7:53", "192.0.2.1:4000")).forget();
        w.after(20s);
        w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53")).forget();
        w.after(20s);
        CHECK(w.entries().empty() == (refresh == "inbound"));
    }
    for (const std::string refresh : {"both", "outbound", "inbound"}) {
        CAPTURE(refresh);
        World w = behind("--profile full-cone --refresh " + refresh);
        maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
        w.after(20s);
        w.when("wan", udp("198.51.100.7:53", "192.0.2.1:4000")).forget();
        w.after(20s);
        CHECK(w.entries().empty() == (refresh == "outbound"));
    }
}

TEST_CASE("nat requirements: nobody outside keeps a mapping alive that is refreshed from inside") {
    World w = behind("--profile full-cone --refresh outbound");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    for (int i = 0; i < 4; ++i) {
        w.after(10s);
        w.when("wan", udp("203.0.113.9:" + std::to_string(7000 + i), "192.0.2.1:4000")).forget();
    }
    w.when("wan", udp("203.0.113.9:8000", "192.0.2.1:4000")).expect_icmp("wan", 3, 3);
    CHECK(mappings_of(w).empty());
}

TEST_CASE("nat requirements: who is answered from inside keeps the mapping alive") {
    World w = behind("--profile full-cone --refresh outbound");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.after(20s);
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.1:4000")).forget();
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:7000")).forget();
    w.after(20s);
    w.when("wan", udp("203.0.113.9:7001", "192.0.2.1:4000"));
    w.expect("lan", udp("203.0.113.9:7001", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat requirements: hosts outside may have addresses of the network inside") {
    World w = behind(kGood);
    routing::Route route{.to = *parse_prefix("0.0.0.0/0"), .via = parse_address("192.0.2.254")};
    route.table = 2;
    REQUIRE(w.router().add_route(route) == routing::RouteChange::Done);
    routing::PolicyRule rule;
    rule.in = "lan";
    rule.table = 2;
    REQUIRE(w.router().add_policy_rule(rule, std::nullopt) == routing::RuleChange::Done);
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000", "10.0.0.9:53");
    w.when("wan", udp("10.0.0.9:53", "192.0.2.1:4000"));
    w.expect("lan", udp("10.0.0.9:53", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat requirements: nothing helps unless it is asked to") {
    World w = behind(kGood);
    const std::string request("\0\1file\0octet\0", 13);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:69").data(request));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.7:69").data(request).ttl(63));
    CHECK(w.router().conntrack().expectations().size() == 0);
}

TEST_CASE("nat requirements: a NAT behaves alike however much it has to do") {
    World w = behind("--profile full-cone");
    for (int port = 2000; port < 3000; ++port) {
        w.when("lan", udp("10.0.0.2:" + std::to_string(port), "198.51.100.7:53")).forget();
    }
    for (int port = 2000; port < 3000; port += 111) {
        const std::string number = std::to_string(port);
        maps(w, "10.0.0.2:" + number, "192.0.2.1:" + number, "203.0.113.9:99");
        w.when("wan", udp("203.0.113.77:1", "192.0.2.1:" + number));
        w.expect("lan", udp("203.0.113.77:1", "10.0.0.2:" + number).ttl(63));
    }
}

TEST_CASE("nat requirements: an ICMP error ends no mapping, and refreshes none") {
    World w = behind("--profile full-cone");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.after(20s);
    const auto seen = udp("192.0.2.1:4000", "198.51.100.7:53").ttl(63);
    w.when("wan", ip(1, "198.51.100.7", "192.0.2.1").icmp(3, 3, 0).quoting(seen));
    w.expect("lan", ip(1, "198.51.100.7", "10.0.0.2")
                        .icmp(3, 3, 0)
                        .quoting(udp("10.0.0.2:4000", "198.51.100.7:53").ttl(63))
                        .ttl(63));
    w.when("wan", udp("203.0.113.9:1", "192.0.2.1:4000")).forget();
    w.expect_entries(2);
    w.after(11s);
    w.expect_entries(1);
}

TEST_CASE("nat requirements: a packet too large is answered inside") {
    World w = behind(kGood);
    w.router().set_mtu(w.router().interfaces().find("wan")->index, 600);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").payload(700).dont_fragment());
    w.expect_icmp("lan", 3, 4);
}

TEST_CASE("nat requirements: fragments are mapped in whatever order they come") {
    World w = behind(kGood);
    const auto inside = udp("10.0.0.2:4000", "198.51.100.7:53").payload(32);
    const auto outside = udp("192.0.2.1:4000", "198.51.100.7:53").payload(32).ttl(63);
    w.when("lan", PacketBuilder(inside).fragment(24, false, 16));
    w.when("lan", PacketBuilder(inside).fragment(0, true, 24));
    w.expect("wan", PacketBuilder(outside).fragment(0, true, 24));
    w.expect("wan", PacketBuilder(outside).fragment(24, false, 16));
}

TEST_CASE("nat requirements: an unsolicited SYN is met with silence, a crossing one gets through") {
    World w = behind("--profile port-restricted-cone");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().seq(1000)).forget();
    const auto from_outside = tcp("203.0.113.9:7000", "192.0.2.1:4000").syn().seq(5000);
    w.when("wan", from_outside).expect_drop(DropReason::NatFiltered).expect_nothing();
    w.after(5s);
    w.expect_nothing();
    w.when("lan", tcp("10.0.0.2:4000", "203.0.113.9:7000").syn().seq(2000));
    w.expect("wan", tcp("192.0.2.1:4000", "203.0.113.9:7000").syn().seq(2000).ttl(63));
    w.when("wan", from_outside);
    w.expect("lan", tcp("203.0.113.9:7000", "10.0.0.2:4000").syn().seq(5000).ttl(63));
    w.expect_entry("tcp 6 SYN_SENT2");
    w.after(10s);
    w.expect_nothing();
}

TEST_CASE("nat requirements: a silent TCP connection outlives two hours and four minutes") {
    World w = behind(kGood);
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:4000").syn().seq(5000).ack(1001)).forget();
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").seq(1001).ack(5001)).forget();
    w.after(2h + 4min);
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:4000").seq(5001).ack(1001));
    w.expect("lan", tcp("198.51.100.7:80", "10.0.0.2:4000").seq(5001).ack(1001).ttl(63));
}

TEST_CASE("nat requirements: a half-open TCP connection lasts as long as the sysctl says") {
    World w = behind(kGood);
    w.sysctl("net.netfilter.nf_conntrack_tcp_timeout_syn_sent", "240");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.after(239s);
    w.expect_entries(1);
}

TEST_CASE("nat requirements: a reset ends a connection at once for those who come behind it") {
    World w = behind(kGood);
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:4000").syn().seq(5000).ack(1001)).forget();
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").seq(1001).ack(5001)).forget();
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:4000").rst().seq(5001)).forget();
    w.expect_entry("tcp 6 CLOSE");
    w.after(11s);
    w.expect_no_entry();
    CHECK(mappings_of(w).empty());
}

TEST_CASE("nat requirements: TCP is hairpinned, and has its ports for itself") {
    World w = behind(kGood);
    w.when("lan", tcp("10.0.0.2:4000", "192.0.2.77:80").syn().seq(1)).forget();
    w.when("lan", tcp("10.0.0.3:4000", "198.51.100.7:80").syn().seq(1)).forget();
    const auto& all = w.router().nat().mappings().all();
    REQUIRE(all.size() == 2);
    CHECK(all.begin()->second.outside.port != all.rbegin()->second.outside.port);
    World open = behind("--profile full-cone");
    open.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().seq(1)).forget();
    open.when("lan", tcp("10.0.0.3:5000", "192.0.2.1:4000").syn().seq(9));
    open.expect("lan", tcp("192.0.2.1:5000", "10.0.0.2:4000").syn().seq(9).ttl(63));
}

TEST_CASE("nat requirements: ICMP queries are mapped by their id") {
    World w = behind("--profile full-cone");
    w.when("lan", ping("10.0.0.2", "198.51.100.7", 7));
    w.expect("wan", ping("192.0.2.1", "198.51.100.7", 7).ttl(63));
    w.when("lan", ping("10.0.0.2", "203.0.113.9", 7));
    w.expect("wan", ping("192.0.2.1", "203.0.113.9", 7).ttl(63));
    w.when("lan", ping("10.0.0.3", "198.51.100.9", 7)).forget();
    const auto& all = w.router().nat().mappings().all();
    REQUIRE(all.size() == 2);
    CHECK(all.begin()->second.sessions == 2);
    CHECK(all.rbegin()->second.outside.port != 7);
    w.when("wan", ip(1, "203.0.113.9", "192.0.2.1").icmp(0, 0, 0x00070001));
    w.expect("lan", ip(1, "203.0.113.9", "10.0.0.2").icmp(0, 0, 0x00070001).ttl(63));
}

TEST_CASE("nat requirements: a query is remembered as long as the sysctl says") {
    World w = behind("--profile full-cone");
    w.sysctl("net.netfilter.nf_conntrack_icmp_timeout", "60");
    w.when("lan", ping("10.0.0.2", "198.51.100.7", 7)).forget();
    w.after(59s);
    w.when("wan", ip(1, "198.51.100.7", "192.0.2.1").icmp(0, 0, 0x00070001));
    w.expect("lan", ip(1, "198.51.100.7", "10.0.0.2").icmp(0, 0, 0x00070001).ttl(63));
}

TEST_CASE("nat requirements: an error is about what a mapping sent, or is dropped") {
    World w = behind(kGood);
    w.when("wan", ip(1, "198.51.100.7", "192.0.2.1")
                      .icmp(3, 3, 0)
                      .quoting(udp("192.0.2.1:4000", "198.51.100.7:53")));
    w.expect_nothing();
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.when("wan", ip(1, "198.51.100.7", "192.0.2.1")
                      .icmp(3, 3, 0)
                      .quoting(udp("192.0.2.1:4000", "198.51.100.7:53").ttl(63))
                      .bad_checksum());
    w.expect_nothing();
}

TEST_CASE("nat requirements: an error from inside comes from outside, about what was seen there") {
    World w = behind("--profile full-cone");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.1:4000")).forget();
    w.when("lan", ip(1, "10.0.0.77", "203.0.113.9")
                      .icmp(3, 1, 0)
                      .quoting(udp("203.0.113.9:7000", "10.0.0.2:4000").ttl(62)));
    w.expect("wan", ip(1, "192.0.2.1", "203.0.113.9")
                        .icmp(3, 1, 0)
                        .quoting(udp("203.0.113.9:7000", "192.0.2.1:4000").ttl(62))
                        .ttl(63));
}

TEST_CASE("nat requirements: an error about a hairpinned packet is hairpinned") {
    World w = behind("--profile full-cone");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000"));
    w.expect("lan", udp("192.0.2.1:5000", "10.0.0.2:4000").ttl(63));
    w.when("lan", ip(1, "10.0.0.2", "192.0.2.1")
                      .icmp(3, 3, 0)
                      .quoting(udp("192.0.2.1:5000", "10.0.0.2:4000").ttl(63)));
    w.expect("lan", ip(1, "192.0.2.1", "10.0.0.3")
                        .icmp(3, 3, 0)
                        .quoting(udp("10.0.0.3:5000", "192.0.2.1:4000").ttl(63))
                        .ttl(63));
}

TEST_CASE("nat requirements: some NATs let no ICMP error through") {
    World w = behind("--profile full-cone --icmp-errors drop");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.when("wan", ip(1, "198.51.100.7", "192.0.2.1")
                      .icmp(3, 3, 0)
                      .quoting(udp("192.0.2.1:4000", "198.51.100.7:53").ttl(63)));
    w.expect_drop(DropReason::NatFiltered).expect_nothing();
    w.router().set_mtu(w.router().interfaces().find("wan")->index, 600);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").payload(700).dont_fragment());
    w.expect_icmp("lan", 3, 4);  // the router's own
}

TEST_CASE("nat requirements: a mapping that cannot be made harms no other one") {
    World w = behind("--mapping endpoint-independent --session-limit 1");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:53"));
    w.expect_drop(DropReason::NatSessionLimit).expect_nothing();
    w.when("wan", udp("198.51.100.7:53", "192.0.2.1:4000"));
    w.expect("lan", udp("198.51.100.7:53", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat requirements: rules say what is not translated") {
    World w = given(
        "*nat\n-A POSTROUTING -o wan -d 203.0.113.0/24 -j ACCEPT\n"
        "-A POSTROUTING -o wan -j MASQUERADE --profile cgnat\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:4000", "203.0.113.9:53"));
    w.expect("wan", udp("10.0.0.2:4000", "203.0.113.9:53").ttl(63));
}

TEST_CASE("nat requirements: several rules give a pool with gaps") {
    World w = given(
        "*nat\n-A POSTROUTING -o wan -s 10.0.0.0/25 -j SNAT --to-source 192.0.2.16 "
        "--profile cgnat\n-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.99 "
        "--profile cgnat\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:1030", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.16:1030", "198.51.100.7:53").ttl(63));
    w.when("lan", udp("10.0.0.200:1030", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.99:1030", "198.51.100.7:53").ttl(63));
}

TEST_CASE("nat requirements: a port is given again at once when it is free") {
    World w = behind("--mapping endpoint-independent");
    maps(w, "10.0.0.2:4000", "192.0.2.1:4000");
    w.after(31s);
    maps(w, "10.0.0.3:4000", "192.0.2.1:4000");
}

TEST_CASE("nat requirements: random ports are nothing that one can count on") {
    World w = behind("--mapping endpoint-independent --port-allocation random");
    for (int i = 0; i < 50; ++i) {
        w.when("lan", udp("10.0.0.2:" + std::to_string(4000 + i), "198.51.100.7:53")).forget();
    }
    std::set<int> steps;
    int last = 0;
    for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
        steps.insert(mapping.outside.port - last);
        last = mapping.outside.port;
    }
    CHECK(steps.size() > 45);
}

TEST_CASE("nat requirements: TCP and UDP of one endpoint are mapped apart, and filtered apart") {
    World w = behind("--profile restricted-cone --port-allocation random");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53")).forget();
    w.when("lan", tcp("10.0.0.2:4000", "203.0.113.9:80").syn().seq(1)).forget();
    const auto& all = w.router().nat().mappings().all();
    REQUIRE(all.size() == 2);
    const std::string udp_port = std::to_string(all.begin()->second.outside.port);
    CHECK(all.begin()->second.outside.port != all.rbegin()->second.outside.port);
    w.when("wan", udp("203.0.113.9:80", "192.0.2.1:" + udp_port));
    w.expect_drop(DropReason::NatFiltered);
}

TEST_CASE("nat requirements: an IPv4 packet keeps its identification") {
    World w = behind(kGood);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").id(4711));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.7:53").id(4711).ttl(63));
}

TEST_CASE("nat requirements: a host whose outside address is asked for an echo hears the router") {
    World w = behind("--profile full-cone");
    w.when("lan", ping("10.0.0.2", "198.51.100.7", 7)).forget();
    w.when("lan", ping("10.0.0.3", "192.0.2.1", 7));
    w.expect_icmp_from("lan", "192.0.2.1", 0, 0);
}
