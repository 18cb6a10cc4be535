// FTP through the router: data connections that the control connection announces.
#include <doctest/doctest.h>

#include "tests/support/conversation.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

const std::string kHelp = "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n";
const std::string kFilter =
    "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j "
    "ACCEPT\n"
    "-A FORWARD -p tcp --dport 21 -j ACCEPT\nCOMMIT\n";
const std::string kMasquerade = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";

constexpr const char* kClient = "10.0.0.2:40000";
constexpr const char* kServer = "198.51.100.7:21";

World plain() {
    return given(kHelp + kFilter);
}

World masquerading() {
    return given(World::Setup{kHelp + kFilter + kMasquerade, kHelp + kFilter + kMasquerade});
}

Conversation through_nat(World& world, std::string_view client = kClient,
                         std::string_view seen = "192.0.2.1:40000") {
    return {world, {"lan", client, kServer}, {"wan", kServer, seen}};
}

// Commands count from the first line on that the helper has seen the end of.
void log_in(Conversation& talk) {
    talk.server("220 ready\r\n");
    talk.client("USER anonymous\r\n");
}

}  // namespace

TEST_CASE("FTP: a server connects to the port of the client's command, nobody else, once") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    w.when("wan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn())
        .expect_drop(DropReason::PolicyDrop);
    talk.client("PORT 10,0,0,2,160,1\r\n");
    CHECK(expectations(w) ==
          "expect 300 l3proto = 2 proto=6 src=198.51.100.7 dst=10.0.0.2 sport=0 dport=40961 ftp\n");
    w.when("wan", tcp("203.0.113.9:20", "10.0.0.2:40961").syn())
        .expect_drop(DropReason::PolicyDrop);
    w.when("wan", tcp("198.51.100.7:20", "10.0.0.2:40962").syn())
        .expect_drop(DropReason::PolicyDrop);
    w.when("wan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn());
    w.expect("lan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn().ttl(63));
    w.expect_entry("src=198.51.100.7 dst=10.0.0.2 sport=20 dport=40961");
    CHECK(expectations(w).empty());
    w.when("wan", tcp("198.51.100.7:21000", "10.0.0.2:40961").syn())
        .expect_drop(DropReason::PolicyDrop);
}

TEST_CASE("FTP behind MASQUERADE: PORT names the router, longer, and the numbers follow") {
    World w = masquerading();
    Conversation talk = through_nat(w);
    log_in(talk);
    talk.client("PORT 10,0,0,2,160,1\r\n", "PORT 192,0,2,1,160,1\r\n");
    talk.server("200 fine\r\n");
    w.when("wan", tcp("198.51.100.7:20", "192.0.2.1:40961").syn());
    w.expect("lan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn().ttl(63));
    talk.client("LIST\r\n");
    talk.server("150 here\r\n");
    talk.client("EPRT |1|10.0.0.2|40970|\r\n", "EPRT |1|192.0.2.1|40970|\r\n");
    talk.server("200 fine again\r\n");
    w.when("wan", tcp("198.51.100.7:20", "192.0.2.1:40970").syn());
    w.expect("lan", tcp("198.51.100.7:20", "10.0.0.2:40970").syn().ttl(63));
    talk.client("QUIT\r\n");
}

TEST_CASE("FTP over IPv6: EPRT as it is, and behind MASQUERADE") {
    constexpr const char* client = "[fd00:1::2]:40000";
    constexpr const char* server = "[2001:db8:7::7]:21";
    constexpr const char* data = "[2001:db8:7::7]:20";
    World w = given(World::Setup{"", kHelp + kFilter});
    Conversation talk = plain_conversation(w, client, server);
    log_in(talk);
    talk.client("EPRT |2|fd00:1::2|40961|\r\n");
    w.when("wan", tcp(data, "[fd00:1::2]:40961").syn());
    w.expect("lan", tcp(data, "[fd00:1::2]:40961").syn().ttl(63));

    World nat = masquerading();
    Conversation hidden(nat, {"lan", client, server}, {"wan", server, "[2001:db8::1]:40000"});
    log_in(hidden);
    hidden.client("EPRT |2|fd00:1::2|40961|\r\n", "EPRT |2|2001:db8::1|40961|\r\n");
    hidden.server("200 fine\r\n");
    nat.when("wan", tcp(data, "[2001:db8::1]:40961").syn());
    nat.expect("lan", tcp(data, "[fd00:1::2]:40961").syn().ttl(63));
    hidden.client("QUIT\r\n");
}

TEST_CASE("FTP: passive answers open the port that they name, EPSV in both families") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    w.when("lan", tcp("10.0.0.2:40001", "198.51.100.7:1025").syn())
        .expect_drop(DropReason::PolicyDrop);
    talk.server("227 Entering Passive Mode (198,51,100,7,4,1).\r\n");
    w.when("lan", tcp("10.0.0.2:40001", "198.51.100.7:1025").syn());
    w.expect("wan", tcp("10.0.0.2:40001", "198.51.100.7:1025").syn().ttl(63));
    talk.server("229 Entering Extended Passive Mode (|||1026|)\r\n");
    w.when("lan", tcp("10.0.0.2:40002", "198.51.100.7:1026").syn());
    w.expect("wan", tcp("10.0.0.2:40002", "198.51.100.7:1026").syn().ttl(63));

    World six = given(World::Setup{"", kHelp + kFilter});
    Conversation other = plain_conversation(six, "[fd00:1::2]:40000", "[2001:db8:7::7]:21");
    log_in(other);
    other.server("229 Extended (|||1026|)\r\n");
    six.when("lan", tcp("[fd00:1::2]:40002", "[2001:db8:7::7]:1026").syn());
    six.expect("wan", tcp("[fd00:1::2]:40002", "[2001:db8:7::7]:1026").syn().ttl(63));
}

TEST_CASE("FTP: a server behind DNAT is said to be where its clients can reach it") {
    World w = given(kHelp + kFilter +
                    "*nat\n-A PREROUTING -i wan -p tcp --dport 21 -j DNAT --to 10.0.0.9\nCOMMIT\n");
    Conversation talk(w, {"wan", "203.0.113.5:40000", "192.0.2.1:21"},
                      {"lan", "10.0.0.9:21", "203.0.113.5:40000"});
    log_in(talk);
    talk.server("227 Entering Passive Mode (10,0,0,9,160,1)\r\n",
                "227 Entering Passive Mode (192,0,2,1,160,1)\r\n");
    talk.client("RETR file\r\n");
    w.when("wan", tcp("203.0.113.5:40001", "192.0.2.1:40961").syn());
    w.expect("lan", tcp("203.0.113.5:40001", "10.0.0.9:40961").syn().ttl(63));
    talk.server("229 Extended (|||40962|)\r\n");
    w.when("wan", tcp("203.0.113.5:40002", "192.0.2.1:40962").syn());
    w.expect("lan", tcp("203.0.113.5:40002", "10.0.0.9:40962").syn().ttl(63));
}

TEST_CASE("FTP: the second command replaces what the first one announced") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    talk.client("PORT 10,0,0,2,160,1\r\n");
    talk.client("PORT 10,0,0,2,160,2\r\n");
    CHECK(expectations(w).find("dport=40962") != std::string::npos);
    CHECK(w.router().conntrack().expectations().size() == 1);
}

TEST_CASE("FTP: two clients that announce one port get two ports of the router") {
    World w = masquerading();
    Conversation first = through_nat(w);
    log_in(first);
    first.client("PORT 10,0,0,2,160,1\r\n", "PORT 192,0,2,1,160,1\r\n");
    Conversation second = through_nat(w, "10.0.0.3:40001", "192.0.2.1:40001");
    log_in(second);
    w.when("lan", tcp("10.0.0.3:40001", kServer)
                      .seq(1001 + 16)
                      .ack(5001 + 11)
                      .data("PORT 10,0,0,3,160,1\r\n"));
    w.forget();
    const conntrack::Expectations& expected = w.router().conntrack().expectations();
    REQUIRE(expected.size() == 2);
    CHECK(expected[1].tuple.destination_port == 40961);
    CHECK(expected[2].tuple.destination_port > 40961);
    CHECK(expected[2].saved_port == 40961);
}

TEST_CASE("FTP: what is no announcement of the sender's own expects nothing and passes unchanged") {
    for (const std::string_view command :
         {"PORT 10,0,0,9,160,1\r\n",            // of a third host
          "PORT 192,0,2,1,160,1\r\n",           // of the router
          "EPRT |1|10.0.0.9|40961|\r\n",        //
          "PORT 10,0,0,2,0,22\r\n",             // a service of the client's host
          "EPRT |1|10.0.0.2|445|\r\n",          //
          "227 (10,0,0,2,160,1)\r\n",           // what only servers say
          "NOOP PORT 10,0,0,2,160,1\r\n",       // not at the beginning of the line
          "POST / HTTP/1.1\r\nHost: a\r\n\r\n"  // what a browser can be made to send
          "PORT 10,0,0,2,160,1\r\nEPRT |1|10.0.0.2|40961|\r\n"}) {
        CAPTURE(command);
        World w = masquerading();
        Conversation talk = through_nat(w);
        log_in(talk);
        talk.client(command);
        CHECK(w.router().conntrack().expectations().size() == 0);
    }
}

TEST_CASE("FTP: a client's port among those of services is left alone, and the log says so") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    talk.client("PORT 10,0,0,2,0,22\r\n");
    CHECK(w.log().back() ==
          "nf_ct_ftp: client 10.0.0.2 announces port 22, below 1024: not expected");
}

TEST_CASE("FTP: a command in the middle of a line, or in the first segment, is not looked at") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    talk.client("PORT 10,0,0,2,160,1\r\n");
    talk.client("STOR ");
    talk.client("PORT 10,0,0,2,160,1\r\n");
    CHECK(expectations(w).empty());
}

TEST_CASE(
    "FTP: half a command is dropped, for it may be the rest that matters; the log says which") {
    for (const std::string_view half : {"PORT 10,0,0", "port", "EPRT |1|10.0.0.2|40", "EPRT |3|",
                                        "PORT 10,0,0,2,160\r\n", "PORT\r\n"}) {
        CAPTURE(half);
        World w = masquerading();
        Conversation talk = through_nat(w);
        log_in(talk);
        talk.client_in_vain(half);
        w.expect_drop(DropReason::HelperRefused);
        const std::string line = w.log().back();
        CHECK(line.find("nf_ct_ftp: dropping packet: partial matching of `") == 0);
        CHECK(line.find("192.0.2.1") != std::string::npos);  // as it leaves
        // Sent again as a whole it is what it should be.
        talk.client("PORT 10,0,0,2,160,1\r\n", "PORT 192,0,2,1,160,1\r\n");
    }
}

TEST_CASE("FTP: an announcement is good for five minutes, and no longer than its connection") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    talk.client("PORT 10,0,0,2,160,1\r\n");
    w.after(299s);
    CHECK(expectations(w).find("expect 1 ") == 0);
    w.after(2s);
    CHECK(expectations(w).empty());
    w.when("wan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn())
        .expect_drop(DropReason::PolicyDrop);
    talk.client("PORT 10,0,0,2,160,1\r\n");
    w.router().destroy_connection(*w.router().conntrack().table().next(std::nullopt), w.now());
    CHECK(w.router().conntrack().expectations().size() == 0);
    w.when("wan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn())
        .expect_drop(DropReason::PolicyDrop);
}

TEST_CASE("FTP: a data connection has its master's mark and is known by its master's helper") {
    World w = given(kHelp +
                    "*mangle\n-A FORWARD -p tcp --dport 21 -j CONNMARK --set-mark 7\nCOMMIT\n"
                    "*filter\n-A FORWARD -m helper --helper ftp -m connmark --mark 7\nCOMMIT\n");
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    talk.client("PORT 10,0,0,2,160,1\r\n");
    const std::string rule = "-A FORWARD -m helper --helper ftp -m connmark --mark 0x7";
    w.expect_rule_packets(rule, 0);  // its master was not expected itself
    w.when("wan", tcp("198.51.100.7:20", "10.0.0.2:40961").syn());
    w.forget();
    w.expect_rule_packets(rule, 1);
    w.expect_entry(
        "dport=40961 [UNREPLIED] src=10.0.0.2 dst=198.51.100.7 sport=40961 dport=20 mark=7");
}

TEST_CASE("FTP: a helper that attaches itself looks where DNAT leads, unless the sysctl is off") {
    World::Setup setup;
    setup.rules_v4 = kFilter +
                     "*nat\n-A PREROUTING -i wan -p tcp --dport 2121 -j DNAT --to 10.0.0.9:21\n"
                     "COMMIT\n";
    setup.conntrack.helpers = conntrack::helper_bit(conntrack::HelperId::Ftp);
    for (const std::string_view on : {"1", "0"}) {
        World w = given(setup);
        w.sysctl("net.netfilter.nf_conntrack_helper", on);
        Conversation talk(w, {"wan", "203.0.113.5:40000", "192.0.2.1:2121"},
                          {"lan", "10.0.0.9:21", "203.0.113.5:40000"});
        log_in(talk);
        const std::string_view inside = "227 (10,0,0,9,160,1)\r\n";
        talk.server(inside, on == "1" ? "227 (192,0,2,1,160,1)\r\n" : inside);
        CHECK(w.router().conntrack().expectations().size() == (on == "1" ? 1 : 0));
    }
}

TEST_CASE("FTP: a super-packet that begins with a command is translated as a whole") {
    World w = masquerading();
    Conversation talk = through_nat(w);
    log_in(talk);
    const std::string more(3000, 'x');
    w.when(
        "lan",
        tcp(kClient, kServer).seq(1017).ack(5012).data("PORT 10,0,0,2,160,1\r\n" + more).gso(1000));
    w.expect("wan", tcp("192.0.2.1:40000", kServer)
                        .seq(1017)
                        .ack(5012)
                        .data("PORT 192,0,2,1,160,1\r\n" + more)
                        .gso(1000)
                        .ttl(63));
    CHECK(w.router().conntrack().expectations().size() == 1);
}

TEST_CASE("FTP: half a command again and again fills no log") {
    World w = plain();
    Conversation talk = plain_conversation(w, kClient, kServer);
    log_in(talk);
    const std::size_t before = w.log().size();
    for (int i = 0; i < 1000; ++i) {
        talk.client_in_vain("PORT 10,0,0");
    }
    CHECK(w.log().size() == before + 10);
    w.after(6s);
    talk.client_in_vain("PORT 10,0,0");
    CHECK(w.log()[before + 10] == "net_ratelimit: 990 callbacks suppressed");
    w.forget();
}
