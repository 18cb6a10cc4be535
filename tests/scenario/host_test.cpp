// What processes in the [host] namespace send and receive.
#include <doctest/doctest.h>

#include <string_view>

#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::string_view_literals;

namespace {

World with_host(World::Setup setup) {
    World w = given(std::move(setup));
    routing::Interface host;
    host.name = "host";
    host.host = true;
    w.router().add_interface(std::move(host));
    return w;
}

}  // namespace

TEST_CASE("host: a connection to the router itself passes both ends' hooks and comes back") {
    World w = with_host({.rules_v4 = "*filter\n-A INPUT -i lo -p tcp -m tcp --dport 22\nCOMMIT\n"});
    w.when("host", tcp("10.0.0.1:4000", "10.0.0.1:22").syn().seq(1));
    w.expect("host", tcp("10.0.0.1:4000", "10.0.0.1:22").syn().seq(1));
    w.expect_rule_packets("-A INPUT -i lo -p tcp -m tcp --dport 22", 1);
    w.expect_entry("tcp 6 SYN_SENT src=10.0.0.1 dst=10.0.0.1 sport=4000 dport=22");
}

TEST_CASE("host: who claims to be the router is answered by `lo`, and leaves no entry") {
    World w =
        with_host({.rules_v6 = "*filter\n-A INPUT -i lo -p tcp\n-A OUTPUT -o lo -p tcp\nCOMMIT\n"});
    w.when("lan", tcp("[2001:db8::1]:4000", "[fd00:1::1]:80").syn().seq(1));
    w.expect_drop(DropReason::LocalNoListener);
    w.expect_rule_packets("-A OUTPUT -o lo -p tcp", 1);
    w.expect_rule_packets("-A INPUT -i lo -p tcp", 1);
    w.expect("host", tcp("[fd00:1::1]:80", "[2001:db8::1]:4000").rst().ack(2).win(0));
    w.expect_no_entry();
}

TEST_CASE("host: what OUTPUT redirects comes back to the namespace, in IPv6 by another name") {
    World w = with_host(
        {.rules_v4 =
             "*nat\n-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\nCOMMIT\n",
         .rules_v6 =
             "*nat\n-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\nCOMMIT\n"});
    w.when("host", tcp("192.0.2.1:4000", "198.51.100.7:80").syn().seq(1));
    w.expect("host", tcp("192.0.2.1:4000", "127.0.0.1:3128").syn().seq(1));
    w.when("host", tcp("[2001:db8::1]:4000", "[2001:db8:9::8]:80").syn().seq(1));
    w.expect("host", tcp("[2001:db8::1]:4000", "[::127.0.0.1]:3128").syn().seq(1));
    w.expect_entry("src=0000:0000:0000:0000:0000:0000:0000:0001 dst=");
    w.when("host", tcp("[::127.0.0.1]:3128", "[2001:db8::1]:4000").syn().seq(7).ack(2));
    w.expect("host", tcp("[2001:db8:9::8]:80", "[2001:db8::1]:4000").syn().seq(7).ack(2));
}

TEST_CASE("host: every error about packets of the router itself is told, however many") {
    World w =
        with_host({.rules_v4 = "*filter\n-A OUTPUT -p udp -m udp --dport 9 -j REJECT\nCOMMIT\n"});
    for (int i = 0; i < 20; ++i) {
        w.when("host", udp("192.0.2.1:4000", "198.51.100.7:9").data("x"));
        w.expect_icmp_from("host", "192.0.2.1", 3, 3);
    }
}

TEST_CASE("host: a group is received from when it is joined until it is left") {
    World w = with_host({});
    const auto to_group = udp("10.0.0.2:5353", "239.1.2.3:5353").data("to all");
    w.when("lan", to_group).expect_drop(DropReason::NotForwardable);
    w.when("host", ip(2, "10.0.0.1", "224.0.0.2").data("\x16\0\0\0\xef\1\2\3"sv)).forget();
    w.when("lan", to_group).expect("host", to_group);
    w.when("host", ip(2, "10.0.0.1", "224.0.0.2").data("\x17\0\0\0\xef\1\2\3"sv)).forget();
    w.when("lan", to_group).expect_drop(DropReason::NotForwardable);
    w.when("lan", udp("10.0.0.2:67", "255.255.255.255:68").data("x"))
        .expect("host", udp("10.0.0.2:67", "255.255.255.255:68").data("x"));
}

TEST_CASE("host: groups go with the namespace's device") {
    World w = with_host({});
    w.when("host", ip(2, "10.0.0.1", "224.0.0.2").data("\x16\0\0\0\xef\1\2\3"sv)).forget();
    const IfIndex host = w.router().interfaces().find("host")->index;
    w.router().set_up(host, false, w.now());
    w.router().set_up(host, true, w.now());
    w.when("lan", udp("10.0.0.2:5353", "239.1.2.3:5353").data("to all"))
        .expect_drop(DropReason::NotForwardable);
}

TEST_CASE("host: what is for many leaves by the link whose address it comes from") {
    World w = with_host({});
    w.when("host", udp("10.0.0.1:4000", "239.1.2.3:5353").data("x"))
        .expect("lan", udp("10.0.0.1:4000", "239.1.2.3:5353").data("x"));
    w.when("host", udp("192.0.2.1:4000", "255.255.255.255:68").data("x"))
        .expect("wan", udp("192.0.2.1:4000", "255.255.255.255:68").data("x"));
    w.when("host", udp("[fd00:1::1]:4000", "[ff05::1:3]:5353").data("x"))
        .expect("lan", udp("[fd00:1::1]:4000", "[ff05::1:3]:5353").data("x"));
    w.when("host", udp("203.0.113.9:4000", "239.1.2.3:5353").data("x"))
        .expect_drop(DropReason::NoRoute);
}
