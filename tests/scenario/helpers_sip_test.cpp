// SIP through the router: registrations, calls from outside, media both ways.
#include <doctest/doctest.h>

#include "tests/support/conversation.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

// Telephones behind MASQUERADE; nothing from outside begins a connection unless it was announced.
const std::string kRules =
    "*raw\n-A PREROUTING -p udp --dport 5060 -j CT --helper sip\n"
    "-A PREROUTING -p tcp --dport 5060 -j CT --helper sip\nCOMMIT\n"
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate "
    "RELATED,ESTABLISHED -j "
    "ACCEPT\n"
    "-A FORWARD -i lan -j ACCEPT\nCOMMIT\n";

constexpr const char* kPhone = "10.0.0.2:5060";
constexpr const char* kShown = "192.0.2.1:5060";  // how the telephone is known outside
constexpr const char* kProxy = "198.51.100.7:5060";
constexpr const char* kInside = "10.0.0.2";
constexpr const char* kOutside = "192.0.2.1";

std::string message(const std::string& first, const std::string& cseq, const std::string& where,
                    const std::string& more = "", const std::string& body = "",
                    const std::string& via = "UDP") {
    return first + "\r\nVia: SIP/2.0/" + via + " " + where +
           ":5060;branch=z9hG4bK1\r\nFrom: <sip:ann@" + where +
           ":5060>;tag=1\r\nTo: <sip:bob@198.51.100.7>\r\nCall-ID: 1\r\nCSeq: " + cseq +
           "\r\nContact: <sip:ann@" + where + ":5060>" + more +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string session(const std::string& where, int port) {
    return "v=0\r\no=ann 1 1 IN IP4 " + where + "\r\ns=-\r\nc=IN IP4 " + where +
           "\r\nt=0 0\r\nm=audio " + std::to_string(port) + " RTP/AVP 0\r\n";
}

// The answer of whoever is at `contact`, to the telephone known as `where`.
std::string answer(const std::string& status, const std::string& cseq, const std::string& where,
                   const std::string& contact, const std::string& body = "") {
    return "SIP/2.0 " + status + "\r\nVia: SIP/2.0/UDP " + where +
           ":5060;branch=z9hG4bK1\r\nFrom: <sip:ann@" + where +
           ":5060>;tag=1\r\nTo: <sip:bob@198.51.100.7>;tag=2\r\nCall-ID: 1\r\nCSeq: " + cseq +
           "\r\nContact: " + contact + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

void from_phone(World& w, const std::string& text, const std::string& arrives, Here here = {}) {
    w.when("lan", udp(kPhone, kProxy).data(text), here);
    w.expect("wan", udp(kShown, kProxy).data(arrives).ttl(63), here);
}

void to_phone(World& w, const std::string& text, const std::string& arrives, Here here = {}) {
    w.when("wan", udp(kProxy, kShown).data(text), here);
    w.expect("lan", udp(kProxy, kPhone).data(arrives).ttl(63), here);
}

void call(World& w) {
    const auto invite = [](const std::string& where) {
        return message("INVITE sip:bob@198.51.100.7 SIP/2.0", "1 INVITE", where, "",
                       session(where, 40000));
    };
    from_phone(w, invite(kInside), invite(kOutside));
}

std::size_t expected(World& w) {
    return w.router().conntrack().expectations().size();
}

}  // namespace

TEST_CASE("SIP: a call of both ends' media, expected until it is over") {
    World w = given(kRules);
    w.when("wan", udp("198.51.100.8:50000", "192.0.2.1:40000").data("rtp")).forget();
    call(w);
    CHECK(expected(w) == 2);  // RTP and RTCP of what the caller listens to
    const auto ok = [](const std::string& where) {
        return answer("200 OK", "1 INVITE", where, "<sip:bob@198.51.100.7>",
                      session("198.51.100.7", 50000));
    };
    to_phone(w, ok(kOutside), ok(kInside));
    CHECK(expected(w) == 4);
    w.when("wan", udp("198.51.100.7:50000", "192.0.2.1:40000").data("rtp"));
    w.expect("lan", udp("198.51.100.7:50000", "10.0.0.2:40000").data("rtp").ttl(63));
    w.when("lan", udp("10.0.0.2:40000", "198.51.100.7:50000").data("rtp"));
    w.expect("wan", udp("192.0.2.1:40000", "198.51.100.7:50000").data("rtp").ttl(63));
    w.when("wan", udp("198.51.100.7:50001", "192.0.2.1:40001").data("rtcp"));
    w.expect("lan", udp("198.51.100.7:50001", "10.0.0.2:40001").data("rtcp").ttl(63));
    w.when("wan", udp("203.0.113.9:50000", "192.0.2.1:40001").data("rtp")).forget();
    w.expect_entries(3);
    const auto bye = [](const std::string& where) {
        return message("BYE sip:bob@198.51.100.7 SIP/2.0", "2 BYE", where);
    };
    from_phone(w, bye(kInside), bye(kOutside));
    CHECK(expected(w) == 0);
}

TEST_CASE("SIP: media of a call that was refused are forgotten; of one that rings they are not") {
    World w = given(kRules);
    call(w);
    const auto says = [&](const std::string& status) {
        to_phone(w, answer(status, "1 INVITE", kOutside, "<sip:bob@198.51.100.7>"),
                 answer(status, "1 INVITE", kInside, "<sip:bob@198.51.100.7>"));
    };
    says("180 Ringing");
    CHECK(expected(w) == 2);
    says("486 Busy Here");
    CHECK(expected(w) == 0);
}

TEST_CASE("SIP: media that are not expected any more, or have no possible port") {
    World w = given(kRules);
    call(w);
    w.after(181s);
    CHECK(expectations(w).empty());
    const std::string low = message("INVITE sip:bob@198.51.100.7 SIP/2.0", "2 INVITE", kInside, "",
                                    session(kInside, 22));
    w.when("lan", udp(kPhone, kProxy).data(low)).expect_drop(DropReason::HelperRefused);
    CHECK(w.log().back().find("nf_ct_sip: dropping packet: wrong port 22") == 0);
    // A stream that is switched off is no stream.
    const auto off = [](const std::string& where) {
        return message("INVITE sip:bob@198.51.100.7 SIP/2.0", "3 INVITE", where, "",
                       session(where, 0));
    };
    from_phone(w, off(kInside),
               message("INVITE sip:bob@198.51.100.7 SIP/2.0", "3 INVITE", kOutside, "",
                       session(kInside, 0)));
    CHECK(expected(w) == 0);
}

TEST_CASE("SIP: who registered is called, as long as the registrar has agreed to") {
    World w = given(kRules);
    const auto request = [](const std::string& where, const std::string& expires) {
        return message("REGISTER sip:198.51.100.7 SIP/2.0", "1 REGISTER", where,
                       ";expires=" + expires);
    };
    from_phone(w, request(kInside, "60"), request(kOutside, "60"));
    CHECK(expectations(w).find("PERMANENT,INACTIVE sip/signalling") != std::string::npos);
    const std::string invite =
        "INVITE sip:ann@192.0.2.1 SIP/2.0\r\nCSeq: 1 INVITE\r\n"
        "Content-Length: 0\r\n\r\n";
    w.when("wan", udp("198.51.100.7:5070", kShown).data(invite)).forget();
    w.expect_entries(1);
    const auto ok = [](const std::string& where) {
        return answer("200 OK", "1 REGISTER", where, "<sip:ann@" + where + ":5060>;expires=60");
    };
    to_phone(w, ok(kOutside), ok(kInside));
    CHECK(expectations(w).find("expect 60 ") == 0);
    for (const std::string port : {"5070", "5071"}) {  // it stays for the next caller
        w.when("wan", udp("198.51.100.7:" + port, kShown)
                          .data("INVITE sip:ann@192.0.2.1 SIP/2.0\r\n"
                                "CSeq: 1 INVITE\r\n\r\n"));
        w.expect("lan", udp("198.51.100.7:" + port, kPhone)
                            .data("INVITE sip:ann@10.0.0.2:5060 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n")
                            .ttl(63));
    }
    w.after(61s);
    w.when("wan", udp("198.51.100.7:5072", kShown).data(invite)).expect_nothing();
    // And as long as it wants to be.
    from_phone(w, request(kInside, "60"), request(kOutside, "60"));
    to_phone(w, ok(kOutside), ok(kInside));
    CHECK(expected(w) == 1);
    const auto gone = [](const std::string& where) {
        return answer("200 OK", "1 REGISTER", where, "<sip:ann@" + where + ":5060>;expires=0");
    };
    to_phone(w, gone(kOutside), gone(kInside));
    CHECK(expected(w) == 0);
}

TEST_CASE("SIP: what cannot be read is dropped, and the log says what") {
    struct Bad {
        const char* text;
        const char* why;
    };
    for (const Bad& bad : {Bad{"INVITE sip:bob@198.51.100.7 SIP/2.0\r\n\r\n", "cannot parse cseq"},
                           Bad{"SIP/2.0 xyz what\r\nCSeq: 1 INVITE\r\n\r\n", "cannot get code"},
                           Bad{"REGISTER sip:198.51.100.7 SIP/2.0\r\nCSeq: 1 REGISTER\r\n"
                               "Contact: <sip:ann@10.0.0.2:5060>;expires=x\r\n\r\n",
                               "cannot parse expires"}}) {
        CAPTURE(bad.why);
        World w = given(kRules);
        w.when("lan", udp(kPhone, kProxy).data(bad.text)).expect_drop(DropReason::HelperRefused);
        CHECK(w.log().back().find("nf_ct_sip: dropping packet: " + std::string(bad.why)) == 0);
    }
}

TEST_CASE("SIP over TCP: several messages in a segment, each read, and their lengths changed") {
    World w = given(kRules);
    Conversation talk(w, {"lan", kPhone, kProxy}, {"wan", kProxy, kShown});
    const auto both = [](const std::string& where) {
        return message("REGISTER sip:198.51.100.7 SIP/2.0", "1 REGISTER", where, ";expires=60", "",
                       "TCP") +
               message("INVITE sip:bob@198.51.100.7 SIP/2.0", "2 INVITE", where, "",
                       session(where, 40000), "TCP");
    };
    talk.client(both(kInside), both(kOutside));
    CHECK(expected(w) == 3);
    talk.server("SIP/2.0 100 Trying\r\nCSeq: 2 INVITE\r\nContent-Length: 0\r\n\r\n");
    const auto bye = [](const std::string& where) {
        return message("BYE sip:bob@198.51.100.7 SIP/2.0", "3 BYE", where, "", "", "TCP");
    };
    talk.client(bye(kInside), bye(kOutside));
    CHECK(expected(w) == 1);
    // One that goes on in the next segment is left alone, however long it says it will be.
    const std::string half =
        "INVITE sip:bob@198.51.100.7 SIP/2.0\r\nCSeq: 4 INVITE\r\n"
        "Content-Length: 18446744073709551615\r\n\r\nv=0\r\n";
    talk.client(half);
    talk.server("SIP/2.0 200 OK\r\nCSeq: 4 INVITE\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("SIP: a request in two pieces is read whole, and leaves in pieces of its new length") {
    World w = given(kRules);
    const auto invite = [](const std::string& where) {
        return message("INVITE sip:bob@198.51.100.7 SIP/2.0", "1 INVITE", where, "",
                       session(where, 40000));
    };
    const PacketBuilder whole = udp(kPhone, kProxy).data(invite(kInside));
    const std::size_t rest = 8 + invite(kInside).size() - 200;
    w.when("lan", PacketBuilder(whole).fragment(0, true, 200));
    w.when("lan", PacketBuilder(whole).fragment(200, false, rest));
    const PacketBuilder shown = udp(kShown, kProxy).data(invite(kOutside)).ttl(63);
    const std::size_t left = 8 + invite(kOutside).size() - 200;
    w.expect("wan", PacketBuilder(shown).fragment(0, true, 200));
    w.expect("wan", PacketBuilder(shown).fragment(200, false, left));
    CHECK(expected(w) == 2);
}
