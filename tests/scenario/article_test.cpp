// What the article behind this router says about entries and states, with its own addresses and
// ports, on a virtual clock. The commands and files it shows are checked in
// tests/system/article_test.py.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/procfs/nf_conntrack.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kClient = "101.81.225.225:33952";
constexpr const char* kServer = "112.74.99.130:80";

// A router between the article's two hosts.
World article(const char* rules = "", std::uint32_t max = 65536) {
    World::Setup setup;
    setup.rules_v4 = rules;
    setup.conntrack.max = max;
    World w = given(std::move(setup));
    CHECK(w.router().add_address(IfIndex{1}, *parse_prefix("101.81.225.1/24")));
    return w;
}

std::string proc_text(World& w) {
    std::string text;
    const auto& conntrack = w.router().conntrack();
    std::optional<ConnId> id;
    while ((id = conntrack.table().next(id))) {
        procfs::append_nf_conntrack_line(text, conntrack, *id, w.now(),
                                         procfs::LineFormat::Article);
    }
    return text;
}

World& handshake(World& w) {
    w.when("lan", tcp(kClient, kServer).syn().seq(1))
        .when("wan", tcp(kServer, kClient).syn().seq(1).ack(2));
    return w.when("lan", tcp(kClient, kServer).seq(2).ack(2)).forget();
}

}  // namespace

TEST_CASE("article: the SYN_SENT line, as the kernel places its fields, with 89 seconds left") {
    World w = article();
    w.when("lan", tcp(kClient, kServer).syn().seq(1)).forget();
    w.after(31s);
    CHECK(proc_text(w) ==
          "ipv4     2 tcp      6 89 SYN_SENT src=101.81.225.225 dst=112.74.99.130 sport=33952 "
          "dport=80 [UNREPLIED] src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 mark=0 "
          "secmark=0 use=2\n");
}

TEST_CASE("article: the ESTABLISHED line, byte for byte, with 431962 seconds left") {
    World w = article();
    handshake(w).after(38s);
    CHECK(proc_text(w) ==
          "ipv4     2 tcp      6 431962 ESTABLISHED src=101.81.225.225 dst=112.74.99.130 "
          "sport=33952 dport=80 src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 "
          "[ASSURED] mark=0 secmark=0 use=2\n");
}

TEST_CASE("article: [UNREPLIED] vanishes with the first answer") {
    World w = article();
    w.when("lan", tcp(kClient, kServer).syn().seq(1)).forget();
    w.expect_entry("[UNREPLIED]");
    w.when("wan", tcp(kServer, kClient).syn().seq(1).ack(2)).forget();
    w.expect_entries(1).expect_entry(
        "SYN_RECV src=101.81.225.225 dst=112.74.99.130 sport=33952 dport=80 src=");
}

TEST_CASE(
    "article: the timer is consumed, and reset to the default of its state by the next packet") {
    World w = article();
    handshake(w).after(1000s);
    CHECK(proc_text(w).find(" 431000 ESTABLISHED") != std::string::npos);
    w.when("lan", tcp(kClient, kServer).seq(2).ack(2)).forget();
    CHECK(proc_text(w).find(" 432000 ESTABLISHED") != std::string::npos);
    w.after(432000s - 1s).expect_entries(1);
    w.after(2s).expect_no_entry();
}

TEST_CASE("article: the four states: NEW, ESTABLISHED, RELATED, INVALID") {
    World w = article(
        "*filter\n-A FORWARD -m state --state NEW\n-A FORWARD -m state --state ESTABLISHED\n"
        "-A FORWARD -m state --state RELATED\n"
        "-A FORWARD -m state --state INVALID\nCOMMIT\n");
    w.when("lan", udp("101.81.225.225:1000", "112.74.99.130:53").data("?")).forget();
    w.when("wan", udp("112.74.99.130:53", "101.81.225.225:1000").data("!")).forget();
    w.when("wan", ip(1, "112.74.99.130", "101.81.225.225")
                      .icmp(3, 3, 0)
                      .quoting(udp("101.81.225.225:1000", "112.74.99.130:53")))
        .forget();
    w.when("wan", tcp(kServer, kClient).syn().ack(7)).forget();
    for (const char* state : {"NEW", "ESTABLISHED", "RELATED", "INVALID"}) {
        w.expect_rule_packets(std::string("-A FORWARD -m state --state ") + state, 1);
    }
}

TEST_CASE("article: ASSURED entries survive a full table, others are evicted") {
    World w = article("", 2);
    handshake(w);
    w.when("lan", udp("101.81.225.225:1", "112.74.99.130:53")).forget();
    w.when("lan", udp("101.81.225.225:2", "112.74.99.130:53")).forget();
    w.when("lan", udp("101.81.225.225:3", "112.74.99.130:53")).forget();
    w.expect_entry("ESTABLISHED");
    w.expect_entry("sport=3");
    CHECK(w.router().conntrack().stats().early_drop >= 1);
}

TEST_CASE("article: table full, and nothing to evict: the packet is dropped and the log says so") {
    World w = article("", 1);
    for (const char* client : {"101.81.225.225:1", "101.81.225.225:2"}) {
        w.when("lan", tcp(client, kServer).syn().seq(1))
            .when("wan", tcp(kServer, client).syn().seq(1).ack(2));
        w.when("lan", tcp(client, kServer).seq(2).ack(2)).forget();
    }
    w.when("lan", tcp("101.81.225.225:3", kServer).syn());
    w.expect_drop(DropReason::TableFull);
    const auto& log = w.log();
    CHECK(std::count(log.begin(), log.end(), "nf_conntrack: table full, dropping packet") >= 1);
}

TEST_CASE("article: a raised maximum ends it") {
    World w = article("", 1);
    for (const char* client : {"101.81.225.225:1", "101.81.225.225:2"}) {
        w.when("lan", tcp(client, kServer).syn().seq(1))
            .when("wan", tcp(kServer, client).syn().seq(1).ack(2));
        w.when("lan", tcp(client, kServer).seq(2).ack(2)).forget();
    }
    w.sysctl("net.netfilter.nf_conntrack_max", "100000");
    w.when("lan", tcp("101.81.225.225:3", kServer).syn());
    w.expect("wan", tcp("101.81.225.225:3", kServer).syn().ttl(63));
}
