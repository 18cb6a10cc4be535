// TFTP, Amanda, IRC, SANE and PPTP through the router.
#include <doctest/doctest.h>

#include <array>

#include "core/wire/bytes.hpp"
#include "tests/support/conversation.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// Only what `help` is for may begin a connection, and what that announces.
std::string all_rules(const std::string& help,
                      const std::string& nat = "-A POSTROUTING -o wan -j MASQUERADE") {
    const std::string what = help.substr(0, help.find(" -j"));
    return "*raw\n-A PREROUTING " + help + "\nCOMMIT\n*nat\n" + nat +
           "\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
           "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD " +
           what + " -j ACCEPT\nCOMMIT\n";
}

const std::string kTftp = "-p udp --dport 69 -j CT --helper tftp";
const std::string kAmanda = "-p udp --dport 10080 -j CT --helper amanda";
const std::string kIrc = "-p tcp --dport 6667 -j CT --helper irc";
const std::string kSane = "-p tcp --dport 6566 -j CT --helper sane";
const std::string kPptp = "-p tcp --dport 1723 -j CT --helper pptp";

}  // namespace

TEST_CASE("TFTP: the answer comes from another port, to where the request came from") {
    World w = given(World::Setup{all_rules(kTftp), all_rules(kTftp)});
    const auto rrq = "\0\1file\0octet\0"s;
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:69").data(rrq));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.7:69").data(rrq).ttl(63));
    CHECK(
        expectations(w) ==
        "expect 300 l3proto = 2 proto=17 src=198.51.100.7 dst=192.0.2.1 sport=0 dport=4000 tftp\n");
    w.when("wan", udp("203.0.113.9:3000", "192.0.2.1:4000").data("\0\3\0\1x"s)).forget();
    w.when("wan", udp("198.51.100.7:3000", "192.0.2.1:4000").data("\0\3\0\1x"s));
    w.expect("lan", udp("198.51.100.7:3000", "10.0.0.2:4000").data("\0\3\0\1x"s).ttl(63));
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:3000").data("\0\4\0\1"s));
    w.expect("wan", udp("192.0.2.1:4000", "198.51.100.7:3000").data("\0\4\0\1"s).ttl(63));
    // Acknowledgments and data announce nothing.
    w.when("lan", udp("10.0.0.2:4001", "198.51.100.7:69").data("\0\4\0\1"s)).forget();
    CHECK(expectations(w).empty());

    w.when("lan", udp("[fd00:1::2]:4000", "[2001:db8:7::7]:69").data(rrq));
    w.expect("wan", udp("[2001:db8::1]:4000", "[2001:db8:7::7]:69").data(rrq).ttl(63));
    w.when("wan", udp("[2001:db8:7::7]:3000", "[2001:db8::1]:4000").data("x"));
    w.expect("lan", udp("[2001:db8:7::7]:3000", "[fd00:1::2]:4000").data("x").ttl(63));
}

TEST_CASE("Amanda: the ports of a client's answer are those that its server may connect to") {
    World w = given(
        all_rules(kAmanda, "-A PREROUTING -i wan -p udp --dport 10080 -j DNAT --to 10.0.0.9"));
    w.when("wan", udp("203.0.113.5:850", "192.0.2.1:10080").data("Amanda 2.6 REQ\n"));
    w.expect("lan", udp("203.0.113.5:850", "10.0.0.9:10080").data("Amanda 2.6 REQ\n").ttl(63));
    const std::string answer =
        "Amanda 2.6 REP HANDLE 0 SEQ 1\nCONNECT DATA 40961 MESG 40962 INDEX 40963\n";
    w.when("lan", udp("10.0.0.9:10080", "203.0.113.5:850").data(answer));
    w.expect("wan", udp("192.0.2.1:10080", "203.0.113.5:850").data(answer).ttl(63));
    for (const std::string port : {"40961", "40962", "40963"}) {
        w.when("wan", tcp("203.0.113.5:900", "192.0.2.1:" + port).syn());
        w.expect("lan", tcp("203.0.113.5:900", "10.0.0.9:" + port).syn().ttl(63));
    }
    w.when("wan", tcp("203.0.113.5:900", "192.0.2.1:40964").syn()).expect_nothing();
}

TEST_CASE("IRC: who was offered a file may fetch it; nobody is offered another host's") {
    World w = given(all_rules(kIrc));
    Conversation talk(w, {"lan", "10.0.0.2:40000", "198.51.100.7:6667"},
                      {"wan", "198.51.100.7:6667", "192.0.2.1:40000"});
    talk.server("NOTICE welcome\r\n");
    talk.client("PRIVMSG bob :\1DCC SEND f 167772162 5000\1\r\n",
                "PRIVMSG bob :\1DCC SEND f 3221225985 5000\1\r\n");
    talk.server("PONG\r\n");
    w.when("wan", tcp("203.0.113.9:1025", "192.0.2.1:5000").syn());
    // As the kernel has it, the peer seems to be the server.
    w.expect("lan", tcp("198.51.100.7:1025", "10.0.0.2:5000").syn().ttl(63));
    const std::size_t lines = w.log().size();
    talk.client("PRIVMSG bob :\1DCC SEND f 167772163 5000\1\r\n");
    REQUIRE(w.log().size() == lines + 1);
    CHECK(w.log().back() == "Forged DCC command from 10.0.0.2: 10.0.0.3:5000");
    talk.client("PRIVMSG bob :\1DCC CHAT f 167772162 445\1\r\n");
    CHECK(w.log().back() ==
          "nf_ct_irc: client 10.0.0.2 announces port 445, below 1024: not expected");
    // What another one says, what is no DCC, and what has no end.
    talk.server("PRIVMSG bob :\1DCC SEND f 167772162 5000\1\r\n");
    talk.client("PRIVMSG bob :\1DC SEND fffff 167772162 5000\1\r\n");
    talk.client("PRIVMSG bob :\1DCC SEND fffffffffff 167772162 5000");
    talk.client("NOTICE bob :\1DCC SEND f 167772162 5000\1\r\n");
    CHECK(expectations(w).empty());
}

TEST_CASE("SANE: a picture comes by the port that the answer to NET_START names") {
    World w = given(all_rules(kSane, ""));
    Conversation talk = plain_conversation(w, "10.0.0.2:40000", "198.51.100.7:6566");
    talk.client("\0\0\0\1\0\0\0\0"s);
    talk.server("\0\0\0\0\0\0\xa0\1"s);  // of another call
    CHECK(expectations(w).empty());
    talk.client("\0\0\0\7\0\0\0\0"s);
    talk.server("\0\0\0\1\0\0\xa0\1"s);  // it was refused
    CHECK(expectations(w).empty());
    talk.client("\0\0\0\7\0\0\0\0"s);
    talk.server("\0\0\0\0\0\0\xa0\1"s);
    w.when("lan", tcp("10.0.0.2:40001", "198.51.100.7:40961").syn());
    w.expect("wan", tcp("10.0.0.2:40001", "198.51.100.7:40961").syn().ttl(63));
}

// --- PPTP ---------------------------------------------------------------------------------------

namespace {

// A control message: its number, how long its body is, and what stands where in it.
std::string control(std::uint16_t message, std::size_t body,
                    std::initializer_list<std::pair<std::size_t, std::uint16_t>> values = {}) {
    std::string text(12 + body, '\0');
    const auto put = [&](std::size_t at, std::uint16_t value) {
        text[at] = static_cast<char>(value >> 8);
        text[at + 1] = static_cast<char>(value & 0xff);
    };
    put(0, static_cast<std::uint16_t>(text.size()));
    put(2, 1);
    put(4, 0x1a2b);
    put(6, 0x3c4d);
    put(8, message);
    for (const auto& [at, value] : values) {
        put(12 + at, value);
    }
    return text;
}

// Enhanced GRE for whoever has this key. RFC 2637 4.1
std::string gre(std::uint16_t key) {
    std::string text = "\x30\x01\x88\x0b\0\4..\0\0\0\1data"s;
    text[6] = static_cast<char>(key >> 8);
    text[7] = static_cast<char>(key & 0xff);
    return text;
}

constexpr std::uint16_t kOwnId = 0x1234;    // of the client's end of the call
constexpr std::uint16_t kPeersId = 0x5678;  // of the server's
constexpr std::uint16_t kShownId = 40000;   // how the server knows the client's: by its port

// A session and a call in it.
void call_up(Conversation& talk) {
    talk.client(control(1, 144));
    talk.server(control(2, 144, {{2, 0x0100}}));
    talk.client(control(7, 156, {{0, kOwnId}}), control(7, 156, {{0, kShownId}}));
    talk.server(control(8, 20, {{0, kPeersId}, {2, kShownId}, {4, 0x0100}}),
                control(8, 20, {{0, kPeersId}, {2, kOwnId}, {4, 0x0100}}));
}

}  // namespace

TEST_CASE("PPTP behind MASQUERADE: a call's GRE passes in both directions, until it is hung up") {
    World w = given(all_rules(kPptp));
    Conversation talk(w, {"lan", "10.0.0.2:40000", "198.51.100.7:1723"},
                      {"wan", "198.51.100.7:1723", "192.0.2.1:40000"});
    w.when("lan", ip(47, "10.0.0.2", "198.51.100.7").data(gre(kPeersId)))
        .expect_drop(DropReason::PolicyDrop);
    call_up(talk);
    CHECK(w.router().conntrack().expectations().size() == 2);
    w.when("lan", ip(47, "10.0.0.2", "198.51.100.7").data(gre(kPeersId)));
    w.expect("wan", ip(47, "192.0.2.1", "198.51.100.7").data(gre(kPeersId)).ttl(63));
    w.when("wan", ip(47, "198.51.100.7", "192.0.2.1").data(gre(kShownId)));
    w.expect("lan", ip(47, "198.51.100.7", "10.0.0.2").data(gre(kOwnId)).ttl(63));
    CHECK(w.router().conntrack().expectations().size() == 0);
    w.expect_entry("srckey=0x1234 dstkey=0x5678");
    w.expect_entries(2);
    talk.server(control(13, 136, {{0, kShownId}}), control(13, 136, {{0, kOwnId}}));
    w.after(1s);
    w.expect_entries(1);
    w.when("wan", ip(47, "198.51.100.7", "192.0.2.1").data(gre(kShownId))).expect_nothing();
}

TEST_CASE("PPTP: nothing is expected of a call that was refused, or that nobody asked for") {
    World w = given(all_rules(kPptp));
    Conversation talk(w, {"lan", "10.0.0.2:40000", "198.51.100.7:1723"},
                      {"wan", "198.51.100.7:1723", "192.0.2.1:40000"});
    talk.client(control(1, 144));
    talk.server(control(2, 144, {{2, 0x0100}}));
    talk.client(control(7, 156, {{0, kOwnId}}), control(7, 156, {{0, kShownId}}));
    talk.server(control(8, 20, {{0, kPeersId}, {2, kShownId}, {4, 0x0200}}),
                control(8, 20, {{0, kPeersId}, {2, kOwnId}, {4, 0x0200}}));
    CHECK(w.router().conntrack().expectations().size() == 0);
}

TEST_CASE("PPTP: the call that is still expected ends with its control connection") {
    World w = given(all_rules(kPptp));
    Conversation talk(w, {"lan", "10.0.0.2:40000", "198.51.100.7:1723"},
                      {"wan", "198.51.100.7:1723", "192.0.2.1:40000"});
    call_up(talk);
    w.router().destroy_connection(*w.router().conntrack().table().next(std::nullopt), w.now());
    CHECK(w.router().conntrack().expectations().size() == 0);
    w.when("lan", ip(47, "10.0.0.2", "198.51.100.7").data(gre(kPeersId)))
        .expect_drop(DropReason::PolicyDrop);
}
