#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {
constexpr const char* kMasquerade = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";
}

TEST_CASE(
    "masquerade: the packet leaves with the router's address and the reply finds its way back") {
    World w = given(kMasquerade);
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:80").syn().seq(1000));
    w.expect("wan", tcp("192.0.2.1:40000", "198.51.100.7:80").syn().seq(1000).ttl(63));
    w.expect_entry(
        "tcp 6 SYN_SENT src=10.0.0.2 dst=198.51.100.7 sport=40000 dport=80 [UNREPLIED] "
        "src=198.51.100.7 dst=192.0.2.1 sport=80 dport=40000 mark=0 secmark=0 use=2");
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:40000").syn().seq(5000).ack(1001));
    w.expect("lan", tcp("198.51.100.7:80", "10.0.0.2:40000").syn().seq(5000).ack(1001).ttl(63));
    w.expect_entry(
        "tcp 6 SYN_RECV src=10.0.0.2 dst=198.51.100.7 sport=40000 dport=80 src=198.51.100.7");
}

TEST_CASE("masquerade: an unanswered connection is gone when its time is up, and not before") {
    World w = given(kMasquerade);
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.after(119s).expect_entries(1);
    w.after(2s).expect_no_entry();
}

TEST_CASE("masquerade: a second client with the same port gets another one") {
    World w = given(kMasquerade);
    w.when("lan", udp("10.0.0.2:5353", "198.51.100.7:53").data("a"));
    w.expect("wan", udp("192.0.2.1:5353", "198.51.100.7:53").data("a").ttl(63));
    w.when("lan", udp("10.0.0.3:5353", "198.51.100.7:53").data("b")).forget();
    w.expect_entries(2);
    w.expect_entry(
        "udp 17 src=10.0.0.3 dst=198.51.100.7 sport=5353 dport=53 [UNREPLIED] src=198.51.100.7 "
        "dst=192.0.2.1 sport=53");
    w.when("wan", udp("198.51.100.7:53", "192.0.2.1:5353").data("for the first"));
    w.expect("lan", udp("198.51.100.7:53", "10.0.0.2:5353").data("for the first").ttl(63));
}

TEST_CASE("masquerade: an ICMP error reaches the client with the client's own packet quoted") {
    World w = given(kMasquerade);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("x")).forget();
    const auto sent = udp("192.0.2.1:4000", "198.51.100.7:53").data("x").ttl(63);
    const auto original = udp("10.0.0.2:4000", "198.51.100.7:53").data("x").ttl(63);
    w.when("wan", ip(1, "203.0.113.9", "192.0.2.1").icmp(11, 0, 0).quoting(sent));
    w.expect("lan", ip(1, "203.0.113.9", "10.0.0.2").icmp(11, 0, 0).quoting(original).ttl(63));
}

TEST_CASE("masquerade: a TCP super-packet is translated whole, its checksum still to be finished") {
    World w = given(kMasquerade);
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:80").syn().seq(1000)).forget();
    w.when("wan", tcp("198.51.100.7:80", "192.0.2.1:40000").syn().seq(5000).ack(1001).win(65535))
        .forget();
    w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:80").seq(1001).ack(5001)).forget();
    w.when("lan",
           tcp("10.0.0.2:40000", "198.51.100.7:80").seq(1001).ack(5001).payload(40000).gso(1460));
    w.expect("wan", tcp("192.0.2.1:40000", "198.51.100.7:80")
                        .seq(1001)
                        .ack(5001)
                        .payload(40000)
                        .gso(1460)
                        .ttl(63));
    w.expect_entry("tcp 6 ESTABLISHED src=10.0.0.2");
}
